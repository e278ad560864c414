"""The language of a text is told by its script, or by its common words."""

import pytest

from rag.ranking.analysis.languages import language_of

SENTENCES = {
    "ar": "تقع المدينة على ضفة النهر منذ قرون",
    "bg": "Градът е построен на брега на реката, а мостът ѝ е стар",
    "cs": "Město leží na břehu řeky, která je v zimě zamrzlá",
    "da": "Byen ligger ved floden, og der er meget af det som blev til efter krigen",
    "de": "Die Stadt liegt an dem Fluss und ist sehr alt",
    "el": "Η πόλη βρίσκεται δίπλα στο ποτάμι",
    "en": "The town lies on the river and is very old",
    "es": "La ciudad está junto al río y es muy antigua",
    "fa": "شهر در کنار رودخانه است و پل گچی دارد",
    "fi": "Kaupunki on joen rannalla ja se on hyvin vanha, mutta ei suuri",
    "fr": "La ville est au bord du fleuve et elle est très vieille",
    "he": "העיר שוכנת על גדת הנהר",
    "hi": "शहर नदी के किनारे बसा है",
    "hu": "A város a folyó partján van, és nagyon régi, de nem nagy",
    "it": "La città è sulla riva del fiume e non è molto grande",
    "ja": "町は川のほとりにあります",
    "km": "ទីក្រុងស្ថិតនៅមាត់ទន្លេ",
    "ko": "도시는 강가에 있습니다",
    "nl": "De stad ligt aan de rivier en is niet erg groot",
    "no": "Byen ligger ved elven, og det er ikke noe mer å se etter",
    "pl": "Miasto leży nad rzeką i jest bardzo stare, ale nie jest duże",
    "pt": "A cidade fica na margem do rio e não é muito grande",
    "ro": "Orașul este pe malul râului și nu este foarte mare",
    "ru": "Город стоит на берегу реки",
    "sr": "Град лежи на обали реке и његов мост је стар",
    "sv": "Staden ligger vid floden och är inte så stor",
    "th": "เมืองตั้งอยู่ริมแม่น้ำ",
    "tr": "Şehir nehrin kıyısında ve çok eski bir yer için büyük değil",
    "uk": "Місто стоїть на березі річки",
    "vi": "Thành phố nằm bên sông và không lớn",
    "zh": "城市位于河边",
}


@pytest.mark.parametrize(("language", "text"), SENTENCES.items())
def test_a_sentence_tells_its_language(language: str, text: str) -> None:
    assert language_of(text, frozenset(text.split())) == language


@pytest.mark.parametrize("text", ["", "Müller 17 42 GmbH", "x = f(y) + 1", "la"])
def test_what_has_no_common_words_does_not_tell(text: str) -> None:
    assert language_of(text, frozenset(text.split())) is None


def test_a_foreign_name_does_not_change_the_language() -> None:
    text = "The novels of Фёдор Достоевский were read by all of them"

    assert language_of(text, frozenset(text.split())) == "en"
