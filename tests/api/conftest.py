"""The real service on a real port, once for all tests of the API; each test has a collection."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from rag.api.limits import Limits
from rag.settings import Settings
from rag.wiring import Services
from tests.api.sites import Site
from tests.served import served

PATIENCE = 60.0  # seconds; the first document waits for a child process to start
SLOWEST = 3.0  # seconds that a page may take
LIMITS = Limits(upload_bytes=2_000_000, json_bytes=100_000, uploads=3, fetches=2)

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """That the service may fetch from."""
    with Site() as site:
        yield site


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Services:
    return Services(
        Settings(
            data_dir=str(tmp_path_factory.mktemp("library")),
            workers=1,
            fetch_allow=("127.0.0.1",),
            fetch_ports=(80, 8080, site.port),
            fetch_bytes=200_000,
            fetch_seconds=SLOWEST,
        )
    )


@pytest.fixture(scope="session")
def address(services: Services) -> Iterator[str]:
    """Of the running service."""
    with served(services, LIMITS) as address:
        yield address


@pytest.fixture(scope="session")
def http(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
def collection(http: httpx.Client) -> str:
    """The name of a new collection."""
    name = f"c{next(numbers)}"
    assert http.post("/v1/collections", json={"name": name}).status_code == 201
    return name


@pytest.fixture
def finished(http: httpx.Client) -> Callable[[str], dict[str, Any]]:
    """Job id -> the job, once it has ended."""

    def wait(job_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            job = http.get(f"/v1/jobs/{job_id}").raise_for_status().json()
            if job["state"] not in {"queued", "running"}:
                return dict(job)
            time.sleep(0.02)
        raise AssertionError(f"job {job_id} did not end")

    return wait


@pytest.fixture
def put(
    http: httpx.Client, collection: str, finished: Callable[[str], dict[str, Any]]
) -> Callable[..., str]:
    """Stores a text, waits until it is searchable, and gives the document's id."""

    def store(key: str, text: str, **more: object) -> str:
        path = f"/v1/collections/{collection}/documents/{key}"
        response = http.put(path, json={"text": text, **more})
        assert response.status_code == 202, response.text
        assert finished(response.json()["job_id"])["state"] == "succeeded"
        return str(response.json()["document_id"])

    return store
