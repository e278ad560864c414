"""What was filled into a form is what it says; a page that cannot be seen fails alone."""

from packages import read
from tiny_pdf import Text, form, pdf

MEDIA = b"/MediaBox [0 0 600 800]"
OUTSIDE = b" /CropBox [700 900 800 999]"


def test_what_was_filled_in_is_read_and_what_is_hidden_is_not() -> None:
    document = read(form("Name of the applicant", filled="Ada Lovelace", hidden="SECRET"))

    assert document.text.split() == ["Name", "of", "the", "applicant", "Ada", "Lovelace"]


def test_a_page_of_which_nothing_is_to_be_seen_fails_alone() -> None:
    whole = pdf([Text(100, 100, "first")], [Text(100, 100, "second page")])
    document = read(whole.replace(MEDIA, MEDIA + OUTSIDE, 1))

    assert document.text.strip() == "second page"
    assert "has no size" in document.pages[0].reason
