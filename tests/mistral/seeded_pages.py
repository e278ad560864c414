"""Pages as the provider might send them on its worst days."""

from fake_mistral.pages import ocr_page
from hypothesis import strategies as st

TABLE = "| a | b |\n|---|---|\n| 1 | 2 |"

number = st.one_of(st.none(), st.integers(-50, 3000), st.floats(-1e9, 1e9))
words = st.sampled_from(["One", "Two words", "- a\n- b", "Two", "absent", "", "![x](x)", TABLE])
markdowns = st.lists(
    st.sampled_from(
        [
            "# One",
            "Two words",
            "- a\n- b",
            TABLE,
            "![x](x)",
            "```\ncode\n```",
            "Two",
            "[t](t)",
            "<table><tr><td>1</table>",
            "www.example.org",
        ]
    ),
    max_size=8,
).map("\n\n".join)
blocks = st.builds(
    dict,
    type=st.sampled_from(["title", "text", "list", "table", "image", "header", "hologram"]),
    content=words,
    top_left_x=number,
    top_left_y=number,
    bottom_right_x=number,
    bottom_right_y=number,
    table_id=st.sampled_from([None, "t", "u"]),
    image_id=st.sampled_from([None, "x"]),
)
any_page = st.builds(
    ocr_page,
    markdowns,
    blocks=st.one_of(st.none(), st.lists(blocks, max_size=8)),
    images=st.sampled_from([[], [{"id": "x"}], [{"id": "x", "image_annotation": "{}"}]]),
    tables=st.sampled_from([None, [{"id": "t", "content": TABLE}]]),
    hyperlinks=st.sampled_from([[], ["https://www.example.org", "https://a.b/(c"]]),
    header=st.one_of(st.none(), words),
    footer=st.one_of(st.none(), words),
    dimensions=st.sampled_from(
        [None, {"dpi": 0, "width": 0, "height": 9}, {"width": 9, "height": 7}]
    ),
)
"""Contradictory, absurd and incomplete, and all the same of the shape that was published."""
