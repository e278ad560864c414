"""Which text layers are believed: a pure judgment of their characters."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.local.reading.pdf.soundness import defect

ENGLISH = (
    "The committee met on Tuesday and approved the budget for the coming year, with two members"
    " voting against it because the reserve had fallen below a tenth of yearly spending."
)
SOUND = {
    "English": ENGLISH,
    "German": "Die Rechtsschutzversicherungsgesellschaften übernehmen die Kosten des Verfahrens,"
    " wenn die Aussicht auf Erfolg hinreichend ist und der Vertrag länger als drei Monate besteht.",
    "Czech": "Příliš žluťoučký kůň úpěl ďábelské ódy a všichni, kdož stáli při řece, zůstali"
    " zticha, než se nad údolím rozednilo a ptáci začali zpívat své ranní písně nad loukami.",
    "Vietnamese": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền. Mọi"
    " con người đều được tạo hoá ban cho lý trí và lương tâm và cần phải đối xử với nhau.",
    "French": "Tous les êtres humains naissent libres et égaux en dignité et en droits. « Ils sont"
    " doués de raison » ; à l’évidence, là où l’été s’achève, l’âme s’élève, œuvre après œuvre.",
    "Russian": "Все люди рождаются свободными и равными в своём достоинстве и правах. Они наделены"
    " разумом и совестью и должны поступать в отношении друг друга в духе братства; см. PDF-файлы.",
    "Greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα."
    " Είναι προικισμένοι με λογική και συνείδηση, και οφείλουν να συμπεριφέρονται μεταξύ τους.",
    "Chinese": "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心。" * 3,
    "Arabic": "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا وعليهم" * 2,
    "numbers": " ".join(f"{n:,} {n / 7:.2f} %" for n in range(1000, 1100)),
    "formulas": "where f is continuous on the interval and a < b, so that F(b) - F(a) is an area"
    " under the graph of f between the lines x = a and x = b, with Δx = (b - a) / n and λ = 2π.",
    "nothing": "",
}

words_of = st.sampled_from(sorted(SOUND)).flatmap(
    lambda name: st.permutations(SOUND[name].split()).map(" ".join)
)


@settings(max_examples=30, deadline=None)
@given(words_of)
def test_sound_text_is_believed_in_every_language_and_order(text: str) -> None:
    assert defect(text) is None


@settings(max_examples=30, deadline=None)
@given(words_of, st.integers(1, 5))
def test_more_of_the_same_is_judged_the_same(text: str, times: int) -> None:
    assert defect(" ".join([text] * times)) is None


@settings(max_examples=30, deadline=None)
@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert defect(text) is None or defect(text).isprintable()  # type: ignore[union-attr]  # seen


def shifted(text: str, by: int) -> str:
    return "".join(chr(ord(c) + by) if c.isalpha() else c for c in text)


RUSSIAN = SOUND["Russian"].split(" см.")[0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        # glyph numbers without a map, in the private area or as replacements
        (shifted(ENGLISH, 0xE000), "stand for no letter"),
        ("\ufffd" * 60 + ENGLISH, "stand for no letter"),
        # codes of a subset font, shifted against ASCII
        (ENGLISH.lower().translate(dict(zip(b"aeiou", b"bcdfg", strict=True))), "vowels"),
        # Windows-1251 taken for Latin-1
        (RUSSIAN.encode("cp1251").decode("latin-1"), "accents"),
        # UTF-8 taken for Windows-1252
        (SOUND["French"].encode().decode("cp1252", "ignore"), "wrong codes"),
        (ENGLISH.replace(" ", "") * 2, "no spaces"),
        (" ".join(ENGLISH.replace(" ", "")), "spaces between letters"),
        # an English OCR of Russian print, put right in part
        (RUSSIAN.replace("о", "o").replace("е", "e").replace("р", "p"), "two alphabets"),
    ],
)
def test_garbage_is_found_and_named(text: str, why: str) -> None:
    found = defect(text)

    assert found is not None
    assert why in found


@settings(max_examples=30, deadline=None)
@given(st.floats(0.3, 1))
def test_a_page_with_much_garbage_is_garbage(share: float) -> None:
    garbage = "\ue001" * int(len(ENGLISH) * share)

    assert defect(f"{ENGLISH} {garbage}") is not None
