"""What an answer cites, looked at later: on its page, and after its document changed."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

SAMPLES = Path(__file__).parents[2] / "rag" / "samples"

Finished = Callable[[str], dict[str, Any]]
Put = Callable[..., str]


def put_file(
    http: httpx.Client, collection: str, finished: Finished, name: str, key: str = ""
) -> None:
    response = http.put(
        f"/v1/collections/{collection}/documents/{key or name}",
        content=(SAMPLES / name).read_bytes(),
        headers={"Content-Type": "application/octet-stream"},
    )
    assert finished(response.json()["job_id"])["state"] == "succeeded"


def first_citation(http: httpx.Client, collection: str, question: str) -> dict[str, Any]:
    body = {"question": question, "collections": [collection]}
    answer = http.post("/v1/answers", json=body).raise_for_status().json()
    assert answer["outcome"] == "answered", answer
    return dict(answer["citations"][0])


def marked_share(png: bytes) -> float:
    """Of the picture's pixels: those that are yellow."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.int16)
    return float(np.mean(pixels[..., 0] - pixels[..., 2] > 80))


def test_a_citation_is_shown_marked_on_its_page(
    http: httpx.Client, collection: str, finished: Finished
) -> None:
    put_file(http, collection, finished, "handbook.pdf")
    citation = first_citation(http, collection, "How many tools may a member have at a time?")
    number = citation["pages"][0]["number"]
    shown = http.get(citation["links"]["image"])
    page = http.get(f"{citation['links']['document']}/pages/{number}/image")
    strip, whole = (Image.open(io.BytesIO(each.content)) for each in (shown, page))

    assert shown.headers["content-type"] == "image/png"
    assert strip.width == whole.width
    assert strip.height < 0.5 * whole.height
    assert 0.001 < marked_share(shown.content) < 0.5
    assert marked_share(page.content) == 0


def test_a_scan_has_its_marks_too(http: httpx.Client, collection: str, finished: Finished) -> None:
    put_file(http, collection, finished, "inspection-letter.pdf")
    citation = first_citation(http, collection, "When may the stove be lit again?")
    shown = http.get(citation["links"]["image"], params={"dpi": 72}).raise_for_status()

    assert 0.001 < marked_share(shown.content) < 0.5


def test_where_there_is_no_page_the_refusal_says_what_there_is(
    http: httpx.Client, collection: str, put: Put
) -> None:
    put("rules.md", "A lost key costs 40 euros, because the lock is changed the same day.")
    citation = first_citation(http, collection, "How much does a lost key cost?")
    refused = http.get(f"/v1/citations/{citation['id']}/image")

    assert "image" not in citation["links"]
    assert refused.status_code == 404
    assert "lines" in refused.json()["detail"]


def test_a_page_it_does_not_stand_on_is_refused(
    http: httpx.Client, collection: str, finished: Finished
) -> None:
    put_file(http, collection, finished, "handbook.pdf")
    citation = first_citation(http, collection, "How many tools may a member have at a time?")
    refused = http.get(citation["links"]["image"], params={"page": 900})

    assert refused.status_code == 404
    assert "not 900" in refused.json()["detail"]


def test_a_citation_of_a_changed_document_is_stale_and_still_shown(
    http: httpx.Client, collection: str, finished: Finished
) -> None:
    put_file(http, collection, finished, "handbook.pdf", key="a.pdf")
    citation = first_citation(http, collection, "How many tools may a member have at a time?")
    before = http.get(citation["links"]["image"]).content
    put_file(http, collection, finished, "inspection-letter.pdf", key="a.pdf")
    later = http.get(f"/v1/citations/{citation['id']}").json()
    after = http.get(citation["links"]["image"]).content

    assert not citation["stale"]
    assert later == {**citation, "stale": True}
    assert after == before


@pytest.mark.parametrize("text", ["The fee is 12 euros a month, and nobody pays twice. Über uns."])
def test_the_same_text_again_leaves_a_citation_as_it_was(
    http: httpx.Client, collection: str, put: Put, text: str
) -> None:
    put("fee.md", text)
    citation = first_citation(http, collection, "How high is the fee in euros?")
    put("other.md", "Something else stands here.")

    assert not http.get(f"/v1/citations/{citation['id']}").json()["stale"]
