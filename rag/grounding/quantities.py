"""Numbers with their signs and units, however they are written: `1,234.5`, `1.234,5`, `three`."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

import msgspec
from msgspec import Struct

from rag.grounding.units import currency_before, suffix_at

_SPELLED = {
    word: value
    for value, words in {
        0: "zero zéro cero",
        1: "first erste ersten erster première premier primera primero",
        2: "two twice zwei deux dos",
        3: "three third drei dritte dritten trois troisième tres tercera",
        4: "four fourth vier vierte vierten quatre quatrième cuatro cuarta",
        5: "five fifth fünf fünfte fünften cinq cinquième cinco quinta",
        6: "six sixth sechs sechste sechsten seis sexta",
        7: "seven seventh sieben sept siete",
        8: "eight eighth acht huit ocho",
        9: "nine ninth neun neuf nueve",
        10: "ten tenth zehn dix diez",
        11: "eleven eleventh elf onze",
        12: "twelve twelfth dozen zwölf douze doce",
        13: "thirteen dreizehn treize trece",
        14: "fourteen vierzehn quatorze catorce",
        15: "fifteen fünfzehn quinze quince",
        16: "sixteen sechzehn seize",
        17: "seventeen siebzehn",
        18: "eighteen achtzehn",
        19: "nineteen neunzehn",
        20: "twenty zwanzig vingt veinte",
        30: "thirty dreißig trente treinta",
        40: "forty vierzig quarante cuarenta",
        50: "fifty fünfzig cinquante cincuenta",
        60: "sixty sechzig soixante sesenta",
        70: "seventy siebzig setenta",
        80: "eighty achtzig ochenta",
        90: "ninety neunzig noventa",
        100: "hundred hundert",
    }.items()
    for word in words.split()
}
"""`one` and `second` are missing: they are a pronoun and a unit more often than numbers."""

_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_WORD = "|".join(sorted(_SPELLED, key=len, reverse=True))
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_FRACTIONS = {"½": Decimal("0.5"), "¼": Decimal("0.25"), "¾": Decimal("0.75")}

_NUMBER = re.compile(
    # not inside an identifier: H2O, COVID-19, x^2; after a Chinese or Japanese letter, though
    r"(?<![^\W\u2e80-\U0003ffff])(?<![^\W\d]-)(?<!\^)(?:"
    r"(?P<digits>\d{1,3}(?: \d{3})+(?![\d.,])|\d+(?:[.,·'’:/]\d+)*|(?<!\d)\.\d+)"
    r"(?: ?(?P<fraction>[½¼¾]))?(?P<power>[⁰¹²³⁴-⁹⁻]+|\^-?\d+)?"
    r"(?: ?[×x] ?10(?P<exponent>\^-?\d+|[⁰¹²³⁴-⁹⁻]+))?(?:(?:st|nd|rd|th)\b)?"
    r"|(?P<half>[½¼¾])"
    rf"|(?P<word>(?:{_TENS})[ -](?:one|{_WORD})|one(?=[ -](?:hundred|thousand|[mb]illion))"
    rf"|{_WORD})\b"
    r")",
    re.IGNORECASE,
)
_BOUND = re.compile(r"[<>≤≥]=? ?\Z|[±~≈] ?\Z")
_SIGN = re.compile(r"(?<![\w)\]%])[-+]\Z|(?<![\w)\]%•] )(?<![\w)\]%•])[-+] \Z")
_RANGE = re.compile(r" ?(?:-|to|and|or|bis|und|oder|à|et|ou|a|y|o|,) ?", re.IGNORECASE)


class Quantity(Struct, frozen=True):
    """A number's span with its sign and unit, and what it may say."""

    start: int
    end: int
    text: str
    """As written, without its sign and unit."""
    values: frozenset[Decimal]
    """More than one where the notation is ambiguous (1,234). None where it is a label (10:30)."""
    unit: str = ""
    bound: str = ""
    """`<`, `>`, `±` ... where the number is not exactly that."""


def quantities(text: str) -> tuple[Quantity, ...]:
    """All numbers of a normal text in their order, those spelled out included."""
    return tuple(_sharing_units(text, list(_scan(text))))


def _scan(text: str) -> Iterator[Quantity]:
    at = 0
    while match := _NUMBER.search(text, at):
        quantity = _quantity(text, match)
        yield quantity
        at = max(quantity.end, match.end())


def _quantity(text: str, match: re.Match[str]) -> Quantity:
    unit, start = currency_before(text, match.start())
    suffix = suffix_at(text, match.end(), is_money=bool(unit))
    sign = _SIGN.search(text, max(0, start - 4), start)
    start = sign.start() if sign else start
    if not unit:  # -$5 and $-5
        unit, start = currency_before(text, start)
    is_negative = sign is not None and sign.group().startswith("-")
    is_bracketed = text[start - 1 : start] == "(" and text[suffix.end : suffix.end + 1] == ")"
    values = {value * suffix.scale for value in _values(match)}
    if is_bracketed:  # a loss in accounts, and a year in prose
        values |= {-value for value in values}
    bound = _BOUND.search(text, max(0, start - 3), start)
    return Quantity(
        start=bound.start() if bound else start - is_bracketed,
        end=suffix.end + is_bracketed,
        text=match.group(),
        values=frozenset(-value for value in values) if is_negative else frozenset(values),
        unit=suffix.unit or unit,
        bound=bound.group().strip() if bound else "",
    )


def _values(match: re.Match[str]) -> frozenset[Decimal]:
    if match["word"]:
        words = match["word"].lower().replace("-", " ").split()
        return frozenset({Decimal(sum(1 if word == "one" else _SPELLED[word] for word in words))})
    if match["half"]:
        return frozenset({_FRACTIONS[match["half"]]})
    addend = _FRACTIONS[match["fraction"]] if match["fraction"] else Decimal(0)
    power = _exponent(match["power"]) if match["power"] else 1
    factor = Decimal(10) ** _exponent(match["exponent"]) if match["exponent"] else Decimal(1)
    if abs(power) > _HIGHEST_POWER:
        return frozenset()
    return frozenset(
        (value + addend) ** power * factor
        for value in _readings(match["digits"])
        if value or power > 0
    )


_HIGHEST_POWER = 99
_LONGEST = 25  # characters, within the 28 digits of decimal arithmetic
"""Beyond these a number is compared as it is written."""


def _exponent(written: str) -> int:
    digits = written.lstrip("^").translate(_SUPERSCRIPTS)
    return int(digits) if re.fullmatch(r"-?\d{1,3}", digits) else _HIGHEST_POWER + 1


def _readings(digits: str) -> frozenset[Decimal]:
    """What a number may be worth: 1,234.5 and 1.234,5 are one number, 1,234 may be two.

    >>> sorted(_readings("1,234"))
    [Decimal('1.234'), Decimal('1234')]
    """
    separators = re.sub(r"\d", "", digits)
    is_label = re.match(r"0\d", digits) or not set(separators).isdisjoint(":/")
    if is_label or len(digits) > _LONGEST:
        return frozenset()
    kinds = set(separators)
    groups = re.split(r"\D", digits)
    readings = set()
    if len(kinds) <= 1 and _are_thousands(groups):
        readings.add(Decimal("".join(groups)))
    has_point = (
        len(kinds) <= 2
        and separators[-1:] in {".", ",", "·"}
        and separators.count(separators[-1]) == 1
    )
    if has_point and _are_thousands(groups[:-1]):
        readings.add(Decimal(f"{''.join(groups[:-1]) or '0'}.{groups[-1]}"))
    return frozenset(readings)


def _are_thousands(groups: Sequence[str]) -> bool:
    """Whether digits so grouped are a whole number. In India, groups of two end in one of three."""
    first, *others = groups
    if not others:
        return True
    return (
        bool(first.strip("0"))
        and {len(group) for group in others[:-1]} <= {2, 3}
        and (len(others[-1]) == 3)
    )


def _sharing_units(text: str, found: Sequence[Quantity]) -> Iterator[Quantity]:
    """With the unit of the number after it where one is said for both: 5 to 10 percent."""
    for quantity, following in pairwise([*found, None]):
        assert quantity
        yield quantity
        if (
            following
            and following.unit
            and not quantity.unit
            and _RANGE.fullmatch(text, quantity.end, following.start)
        ):
            yield msgspec.structs.replace(quantity, unit=following.unit)
