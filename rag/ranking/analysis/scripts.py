"""Which characters are letters of which script, where that decides how a text is cut."""

MARKS = "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
"""Combining marks: they belong to the letter before them, but are no `\\w` to Python."""

INDIC = "\u0900-\u0963\u0966-\u0dff"
"""Blocks of scripts whose vowels are marks, without the two dandas, which are full stops."""

SYLLABIC = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
"""Thai, Lao, Burmese, Khmer: letters, and no spaces between words."""

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff々〆〇"
KANA = "\u3040-\u30ff\u3105-\u312f\u31f0-\u31ff"
"""Hiragana, katakana, and bopomofo, which is as rare."""

HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"
"""Spaced, but particles are glued to nouns: cut like a script that is not."""

UNSPACED = SYLLABIC + HAN + KANA + HANGUL

LETTER = rf"[\w{MARKS}{INDIC}{UNSPACED}]"
SPACED = rf"(?: [^\W{UNSPACED}] | [{MARKS}{INDIC}] )"
"""A letter, digit or underscore of a script that writes spaces; for a verbose pattern."""
