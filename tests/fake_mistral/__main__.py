"""By hand, from the root of the repository: `python -m tests.fake_mistral --port 8100`.

`/fake/bill` says what it has billed, `/fake/state` what it has seen.
"""

import argparse
import tempfile
from pathlib import Path

from .app import KEY, FakeMistral
from .plan import EVERY_KIND, FaultPlan
from .serving import server


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A provider that speaks Mistral's contract.")
    add = parser.add_argument
    add("--port", type=int, default=8100)
    add("--seed", type=int, default=0, help="of the faults")
    add("--fault-rate", type=float, default=0.0, help="share of requests that go wrong, 0 to 1")
    add("--faults", default="", help=f"comma separated, of: {', '.join(EVERY_KIND)}")
    add("--revoked-after", type=int, help="requests until the key is refused for good")
    add("--requests-per-second", type=float)
    add("--tokens-per-minute", type=int)
    add("--pages-per-minute", type=int)
    add("--no-rate-headers", action="store_true")
    add("--retry-after", choices=("seconds", "date", "none"), default="seconds")
    add("--latency", type=float, default=0.0, help="seconds before each answer")
    add("--embedder", choices=("hashing", "local"), default="hashing")
    add("--script", type=Path, help="a text file; the model says a line of it for each question")
    return parser.parse_args()


def _configured(asked: argparse.Namespace) -> FakeMistral:
    fake = FakeMistral(keeps=0)
    fake.limits.requests_per_second = asked.requests_per_second
    fake.limits.tokens_per_minute = asked.tokens_per_minute
    fake.limits.pages_per_minute = asked.pages_per_minute
    fake.limits.tells = not asked.no_rate_headers
    fake.limits.retry_after = None if asked.retry_after == "none" else asked.retry_after
    fake.latency = asked.latency
    if asked.fault_rate or asked.revoked_after:
        kinds = [kind for kind in EVERY_KIND if kind in asked.faults.split(",")] or EVERY_KIND
        fake.plan = FaultPlan(
            asked.seed, asked.fault_rate, kinds, revoked_after=asked.revoked_after
        )
    if asked.embedder == "local":
        from .embedders import local  # with it comes the runtime of the model

        fake.embed = local(Path(tempfile.gettempdir()) / "fake-mistral")
    if asked.script:
        fake.script.extend(asked.script.read_text().splitlines())
    return fake


if __name__ == "__main__":
    arguments = _arguments()
    url = f"http://127.0.0.1:{arguments.port}"
    print(f"MISTRAL_API_KEY={KEY} RAG_MISTRAL_BASE_URL={url}")
    print(f"{url}/fake/bill  {url}/fake/state", flush=True)
    server(_configured(arguments), arguments.port).run()
