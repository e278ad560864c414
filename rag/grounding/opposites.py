"""Words of a claim that say the opposite of its quotation's: rose, fell.

Only listed words are known, and only where the quotations have none of the claim's own side: who
writes grew for rose is not objected to.
"""

import re
from collections.abc import Iterator

_PAIRS = (
    "increase increases increased increasing rise rises rose risen rising grow grows grew grown"
    " growing growth gain gains gained climb climbed climbs expand expands expanded raise raises"
    " raised | decrease decreases decreased decreasing fall falls fell fallen falling decline"
    " declines declined declining drop drops dropped shrink shrinks shrank shrunk lose loses lost"
    " reduce reduces reduced reducing reduction contract contracted lower lowers lowered cut cuts",
    "higher highest high above over | lower lowest low below under",
    "more most greater greatest larger largest bigger biggest maximum"
    " | less least fewer fewest smaller smallest minimum",
    "before earlier prior early earliest | after later following late latest",
    "first beginning begin begins began start starts started opening opens opened"
    " | last end ends ended ending final close closes closed closing",
    "positive positively profit profits profitable | negative negatively loss losses",
    "allow allows allowed permit permits permitted legal lawful"
    " | forbid forbids forbade forbidden prohibit prohibits prohibited ban banned illegal unlawful",
    "include includes included including with | exclude excludes excluded excluding without",
    "accept accepts accepted approve approves approved agree agrees agreed"
    " | reject rejects rejected refuse refuses refused deny denies denied disagree disagreed",
    "win wins won victory succeed succeeds succeeded success"
    " | lose loses lost defeat defeated fail fails failed failure",
    "north northern | south southern",
    "east eastern | west western",
    "male man men father son brother he his husband | female woman women mother daughter sister she"
    " her wife",
    "born birth | died dies death",
    "left | right",
    "hot warm warmer warmest | cold cool cooler colder coldest",
    "same similar identical equal | different unlike unequal",
    "always all every | never none",
    "import imports imported | export exports exported",
    "buy buys bought purchase purchased | sell sells sold",
    "activate activates activated activation promote promotes promoted"
    " | inhibit inhibits inhibited inhibition suppress suppresses suppressed",
    "strong stronger strongest | weak weaker weakest",
    "safe safely | dangerous unsafe hazardous",
    "public | private",
    "true correct right | false incorrect wrong",
    "day | night",
    "north | south",
    "maximum | minimum",
    "mandatory required compulsory obligatory | optional voluntary",
    "internal inside inner | external outside outer",
    "gestiegen stieg steigt steigen erhöht wuchs gewachsen höher mehr"
    " | gesunken sank sinkt sinken gefallen fiel verringert gesenkt niedriger weniger",
    "vor vorher früher | nach nachher später",
    "augmenté augmente augmentation hausse plus supérieur"
    " | diminué diminue diminution baisse moins inférieur",
    "avant | après",
    "aumentó aumenta aumento subió mayor más | disminuyó disminuye disminución bajó menor menos",
    "antes | después",
)


def _opposites() -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    for pair in _PAIRS:
        one, other = (frozenset(side.split()) for side in pair.split("|"))
        yield from ((word, one, other) for word in one)
        yield from ((word, other, one) for word in other)


_KNOWN: dict[str, list[tuple[frozenset[str], frozenset[str]]]] = {}
for _word, _own, _opposite in _opposites():
    _KNOWN.setdefault(_word, []).append((_own, _opposite))

_WORD = re.compile(r"[^\W\d_]+")


def opposed(claim: str, proof: str) -> tuple[str, ...]:
    """Words of a claim whose opposite its proof has, and nothing like them.

    >>> opposed("Sales fell in May.", "In May, sales rose by a tenth.")
    ('fell',)
    >>> opposed("Sales grew in May.", "In May, sales rose by a tenth.")
    ()
    """
    shown = _words(proof)
    said = dict.fromkeys(word.lower() for word in _WORD.findall(claim))
    return tuple(word for word in said if word not in shown and _is_opposed(word, shown))


def _is_opposed(word: str, shown: frozenset[str]) -> bool:
    sides = _KNOWN.get(word, ())
    return any(own.isdisjoint(shown) and not other.isdisjoint(shown) for own, other in sides)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))
