"""Units of measure and powers of ten, by all the names they go by.

What is not listed is a word like any other and is not compared. Symbols keep their case (mW is not
MW); names do not.
"""

import re
from decimal import Decimal

from msgspec import Struct

_SYMBOLS = {
    spelling: unit
    for unit, spellings in {
        "%": "%",
        "‰": "‰",
        "pp": "pp",
        "bp": "bp bps",
        "$": "$ US$ USD",
        "€": "€ EUR",
        "£": "£ GBP",
        "¥": "¥ JPY",
        "CNY": "CNY RMB 元",
        "INR": "₹ INR Rs",
        "CHF": "CHF",
        "s": "s sec",
        "ms": "ms",
        "min": "min",
        "h": "h hr hrs",
        "d": "d",
        "year": "yr yrs",
        "g": "g",
        "kg": "kg",
        "mg": "mg",
        "µg": "µg μg mcg",
        "ng": "ng",
        "t": "t",
        "lb": "lb lbs",
        "oz": "oz",
        "m": "m",
        "km": "km",
        "cm": "cm",
        "mm": "mm",
        "µm": "µm μm",
        "nm": "nm",
        "mi": "mi",
        "ft": "ft",
        "ha": "ha",
        "l": "l L",
        "ml": "ml mL",
        "dl": "dl dL",
        "W": "W",
        "mW": "mW",
        "kW": "kW",
        "MW": "MW",
        "GW": "GW",
        "Wh": "Wh",
        "kWh": "kWh",
        "MWh": "MWh",
        "GWh": "GWh",
        "V": "V",
        "mV": "mV",
        "kV": "kV",
        "A": "A",
        "mA": "mA",
        "J": "J",
        "kJ": "kJ",
        "kcal": "kcal",
        "N": "N",
        "Pa": "Pa",
        "hPa": "hPa",
        "kPa": "kPa",
        "bar": "bar",
        "Hz": "Hz",
        "kHz": "kHz",
        "MHz": "MHz",
        "GHz": "GHz",
        "dB": "dB",
        "kB": "kB KB",
        "MB": "MB",
        "GB": "GB",
        "TB": "TB",
        "mol": "mol",
        "mmol": "mmol",
        "°C": "°C",
        "°F": "°F",
        "°": "°",
        "ppm": "ppm",
        "ppb": "ppb",
        "rpm": "rpm",
        "km/h": "km/h kmh",
        "mph": "mph",
        "m/s": "m/s",
    }.items()
    for spelling in spellings.split()
}

_NAMES = {
    name: unit
    for unit, names in {
        "%": "percent|per cent|prozent|pour cent|por ciento|por cento",
        "pp": "percentage points|percentage point|prozentpunkte|prozentpunkten",
        "bp": "basis points|basis point|basispunkte",
        "$": "dollars|dollar|dólares",
        "€": "euros|euro",
        "£": "pounds sterling|pound sterling",
        "¥": "yen",
        "CNY": "yuan|renminbi",
        "INR": "rupees|rupee",
        "CHF": "franken|francs suisses",
        "s": "seconds|second|sekunden|sekunde|secondes|segundos",
        "ms": "milliseconds|millisecond",
        "min": "minutes|minute|minuten|minutos",
        "h": "hours|hour|stunden|stunde|heures|heure|horas|hora",
        "d": "days|day|tage|tagen|tag|jours|jour|días|día",
        "week": "weeks|week|wochen|woche|semaines|semaine|semanas|semana",
        "month": "months|month|monate|monaten|monat|mois|meses|mes",
        "year": "years|year|jahre|jahren|jahr|années|année|años|año",
        "g": "grams|gram|gramm|grammes",
        "kg": "kilograms|kilogram|kilos|kilogramm",
        "mg": "milligrams|milligram|milligramm",
        "µg": "micrograms|microgram|mikrogramm",
        "t": "tonnes|tonne|tons|ton|tonnen",
        "lb": "pounds|pound|pfund",
        "oz": "ounces|ounce",
        "m": "meters|meter|metres|metre|metern|mètres|metros",
        "km": "kilometers|kilometer|kilometres|kilometre|kilometern|kilomètres|kilómetros",
        "cm": "centimeters|centimeter|centimetres|zentimeter|centimètres|centímetros",
        "mm": "millimeters|millimeter|millimetres|millimètres|milímetros",
        "nm": "nanometers|nanometer|nanometres",
        "mi": "miles|mile|meilen|millas",
        "ft": "feet|foot",
        "inch": "inches|inch",
        "ha": "hectares|hectare|hektar",
        "l": "liters|liter|litres|litre|litern|litros",
        "ml": "milliliters|milliliter|millilitres",
        "W": "watts|watt",
        "kW": "kilowatts|kilowatt",
        "MW": "megawatts|megawatt",
        "GW": "gigawatts|gigawatt",
        "kWh": "kilowatt hours|kilowatt-hours",
        "V": "volts|volt",
        "kB": "kilobytes",
        "MB": "megabytes|megabyte",
        "GB": "gigabytes|gigabyte",
        "TB": "terabytes|terabyte",
        "°C": "degrees celsius|grad celsius",
        "°F": "degrees fahrenheit",
        "°": "degrees|degree|grad",
    }.items()
    for name in names.split("|")
}

_SCALES = {
    word: Decimal(10) ** power
    for power, words in {
        2: "hundred hundert",
        3: "k thousand thousands tausend mille mil",
        4: "万 萬",
        5: "lakh lakhs",
        6: "mn mio million millions millionen millón millones milhão milhões",
        7: "crore crores",
        8: "億 亿",
        9: "bn billion billions mrd milliarde milliarden milliard milliards",
        12: "tn trillion trillions",
    }.items()
    for word in words.split()
}


def _any_of(words: dict[str, str] | dict[str, Decimal]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


_END = r"(?![^\W\d_]|-?\d)"
_CJK_SCALES = "万萬億亿"
_SCALE = (
    rf"(?P<scale>[{_CJK_SCALES}]|(?i:mio|mrd)\.|(?i:{_any_of(_SCALES)})\b"
    r"|[MB]\b(?!-)|(?<=\d)m\b(?=\Z|[\s.,;)]))"
)
_UNIT = rf"(?P<unit>[%‰元]|(?:{_any_of(_SYMBOLS)}){_END}|(?i:{_any_of(_NAMES)}){_END})"
_SUFFIX = re.compile(
    rf"(?:[ -]?{_SCALE})?(?:[ -]?(?:(?:de|d'|of|US) ?)?{_UNIT}(?P<per>/[^\W\d_]{{1,3}}\b)?)?"
)
"""What may follow a number: 5 million dollars, 5-year, 5%."""

_CURRENCY = re.compile(r"(?:US\$|[$€£¥₹]|\b(?:USD|EUR|GBP|CHF|JPY|CNY|INR|RMB|Rs)\.?) ?\Z")
_STANDING_ALONE = re.compile(rf"(?<![^\W_]){_UNIT}")
_SCALED_TABLE = re.compile(
    rf"\b(?:in|en|em) (?:US ?)?[$€£¥]? ?(?P<scale>{_any_of(_SCALES)})\b"
    rf"|\((?:US ?)?[$€£¥]? ?(?P<short>{_any_of(_SCALES)})\b",
    re.IGNORECASE,
)


class Suffix(Struct, frozen=True):
    """What stands behind a number: its power of ten, its unit, and where they end."""

    scale: Decimal
    unit: str
    end: int


def suffix_at(text: str, at: int, *, is_money: bool) -> Suffix:
    """
    Args:
        is_money: a currency stands before the number, so that `m` means million, not meter.
    """
    match = _SUFFIX.match(text, at)
    assert match, "everything in it is optional"
    scale, unit, end = match["scale"], match["unit"], match.end()
    if scale == "m" and not is_money:
        scale, unit, end = None, "m", match.end("scale")
    return Suffix(scale_of(scale or ""), unit_of(unit or "") + (match["per"] or ""), end)


def unit_of(spelling: str) -> str:
    return _SYMBOLS.get(spelling) or _NAMES.get(spelling.lower(), "")


def scale_of(spelling: str) -> Decimal:
    short = {"m": "million", "M": "million", "B": "billion"}.get(spelling, spelling)
    return _SCALES.get(short.lower().rstrip("."), Decimal(1))


def currency_before(text: str, at: int) -> tuple[str, int]:
    """The currency that stands right before a number, and where it starts."""
    match = _CURRENCY.search(text, max(0, at - 5), at)
    return (unit_of(match.group().rstrip(" .")), match.start()) if match else ("", at)


def units_standing_alone(text: str) -> frozenset[str]:
    """Units named anywhere: those of a table's heads hold for the bare numbers under them."""
    return frozenset(unit_of(match["unit"]) for match in _STANDING_ALONE.finditer(text))


def scales_of_table(text: str) -> frozenset[Decimal]:
    """Powers of ten that a heading gives to all numbers under it: (in millions)."""
    return frozenset(
        scale_of(match["scale"] or match["short"]) for match in _SCALED_TABLE.finditer(text)
    )
