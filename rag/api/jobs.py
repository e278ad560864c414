"""Jobs: what became of documents that were handed in."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from rag.api.listing import DEFAULT_LIMIT, After, Limit
from rag.domain import IngestItem, IngestJob, JobId, Listing
from rag.wiring import Services


class JobsController(Controller):
    path = "/v1/jobs"
    tags = ["Jobs"]

    @get(sync_to_thread=True)
    def list_all(
        self,
        services: NamedDependency[Services],
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Listing[IngestJob]:
        """List jobs, newest first."""
        return services.library.jobs.list(limit=limit, after=after)

    @get("/{job:str}", sync_to_thread=True)
    def show(self, job: FromPath[str], services: NamedDependency[Services]) -> IngestJob:
        """Show a job: its state, and how many of its items are done."""
        return services.job(JobId(job))

    @get("/{job:str}/items", sync_to_thread=True)
    def items(
        self,
        job: FromPath[str],
        services: NamedDependency[Services],
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Listing[IngestItem]:
        """List a job's items, each with its state and, where it failed, the reason."""
        return services.library.jobs.items(JobId(job), limit=limit, after=after)

    @post("/{job:str}/cancel", status_code=200, sync_to_thread=True)
    def cancel(self, job: FromPath[str], services: NamedDependency[Services]) -> IngestJob:
        """Cancel what has not begun; what is published stays.

        Its batches are cancelled at the provider within seconds; what was done of them by then
        is billed, and kept.
        """
        services.library.jobs.cancel(JobId(job))
        return services.library.jobs.find(JobId(job))
