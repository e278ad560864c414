"""What people wrap a question in: politeness that says nothing of what is looked for.

Meaning does not mind it, but words do: "tell" and "know" are rare in most collections, and a
passage that happens to have them would come first.
"""

import re

_POLITE = (
    r"(?:please|kindly|hello|hi|hey|excuse me)",
    r"(?:can|could|would|will) (?:you|someone|anyone|anybody) (?:please )?"
    r"(?:tell|show|explain to|give|help|remind|find|explain|describe|look up|search for)"
    r"(?: (?:me|us))?(?: (?:about|to find|find|out|understand))?",
    r"(?:please )?(?:tell|show|give|find|help) (?:me|us)(?: (?:about|to find|find|understand))?",
    r"(?:i|we)(?:'d| would) (?:like|love|want) to (?:know|find out|learn|understand|see|ask)"
    r"(?: about| if| whether)?",
    r"(?:i|we) (?:want|need|wish|am trying|are trying)(?: to)?"
    r" (?:know|find out|find|learn|understand)(?: about| if| whether)?",
    r"(?:do|does) (?:you|anyone|anybody|someone) know(?: about| if| whether)?",
    r"(?:i am|i'm|we are|we're) (?:looking for|searching for|wondering|interested in)"
    r"(?: if| whether)?",
    r"(?:i|we) wonder(?: if| whether)?",
    r"(?:bitte|hallo|guten tag)",
    r"(?:kannst du|können sie|könntest du|könnten sie)(?: (?:mir|uns))?(?: bitte)?"
    r"(?: (?:sagen|zeigen|erklären))?",
    r"(?:sag|sage|sagen sie|zeig|zeige|zeigen sie) (?:mir|uns)(?: bitte)?",
    r"(?:ich|wir) (?:möchte|möchten|will|wollen|würde gern(?:e)?|würden gern(?:e)?)(?: gern(?:e)?)?"
    r" (?:wissen|erfahren)",
    r"(?:weißt du|wissen sie|weiß jemand)",
    r"(?:bonjour|s'il (?:te|vous) plaît|svp)",
    r"(?:peux-tu|pouvez-vous|pourrais-tu|pourriez-vous)(?: (?:me|nous))?"
    r"(?: (?:dire|montrer|expliquer|indiquer))?",
    r"(?:dis-moi|dites-moi|montre-moi|montrez-moi)",
    r"(?:je|nous) (?:voudrais|voudrions|veux|voulons|aimerais|aimerions) savoir",
    r"(?:por favor|hola|buenos días)",
    r"(?:puedes|puede|podrías|podría)(?: (?:decirme|decirnos|mostrarme|explicarme))",
    r"(?:dime|díganos|dígame|muéstrame|muéstreme)",
    r"(?:quiero|quisiera|me gustaría|queremos) saber",
)
_LEADING = re.compile(rf"\s*(?:{'|'.join(_POLITE)})\b[\s,:;.!]*", re.IGNORECASE)
_TRAILING = re.compile(
    r"[\s,]+(?:please|thanks|thank you|bitte|danke|s'il (?:te|vous) plaît|svp|merci|por favor"
    r"|gracias)(?P<mark>[\s.!?]*)$",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w")


def unwrapped(question: str) -> str:
    """What is asked; all of it where nothing else would be left.

    >>> unwrapped("Could you please tell me what a lost key costs?")
    'what a lost key costs?'
    """
    left = question
    while (found := _LEADING.match(left)) and found.end():
        left = left[found.end() :]
    left = _TRAILING.sub(r"\g<mark>", left)
    return left if _WORD.search(left) else question
