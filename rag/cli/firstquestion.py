"""A question about somebody's own documents, for the first minute with them."""

import re

from rag.cli.door import Door

TRIED = 5
"""Questions at most; the first that is answered is shown."""

LOOKED_AT = 30  # documents

HEADING = re.compile(r"^#{1,3} +(.{12,90}?)\s*#*$", re.MULTILINE)


async def first_questions(collection: str, door: Door) -> list[str]:
    """Made from the headings of the longest documents: "What does it say about ...?"."""
    entries = [entry async for entry in door.listing(f"/v1/collections/{collection}/documents")]
    longest = sorted(entries, key=lambda entry: -entry["characters"])[:LOOKED_AT]
    questions: list[str] = []
    for entry in longest:
        read = await door.call("GET", f"/v1/documents/{entry['id']}/text")
        headings = [h for h in HEADING.findall(read["text"]) if h != entry["title"]]
        subject = headings[len(headings) // 2] if headings else entry["title"]
        questions.append(f"What do the documents say about {_plain(subject)}?")
        if len(questions) == TRIED:
            break
    return questions


def _plain(heading: str) -> str:
    return re.sub(r"[*_`#\[\]]+|^[\d.]+\s+", "", heading).strip().rstrip(".:?")
