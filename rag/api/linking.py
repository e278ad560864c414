"""Where more of what an answer cites is served."""

from msgspec.structs import replace

from rag.domain import Answer, Citation


def linked_answer(answer: Answer) -> Answer:
    return replace(answer, citations=tuple(map(linked, answer.citations)))


def linked(citation: Citation) -> Citation:
    if citation.code is not None:
        links = {"repository": f"/v1/repositories/{citation.code.repository_id}"}
        return replace(citation, links=links)
    links = {"document": f"/v1/documents/{citation.document_id}"}
    if any(place.boxes for place in citation.pages):
        links["image"] = f"/v1/citations/{citation.id}/image"
    return replace(citation, links=links)
