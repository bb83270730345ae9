"""What may stand below a decision without saying anything of it: thanks, names, tasks, companies, numbers, addresses.

Any other words could be a condition ("Anna / not before May"), so the decision above them is not understood.
"""

import re
from collections.abc import Collection

#: Between the parts of a signature's line.
_BETWEEN = re.compile(r"[|,;·•–—]| - ")
_CONTACT = re.compile(
    r"(?:[A-Za-z]{1,8}[.:]{0,2} )?[\d+()./ -]{5,30}|[^\s@]{1,60}@[^\s@]{1,60}|(?:https?://|www\.)\S{1,100}"
)
_SMALL = frozenset(
    {"of", "and", "for", "the", "&", "di", "e", "del", "della", "von", "und", "für", "der", "de", "et", "y", "la", "el"}
)
#: Words of sentences: none stands in the line of a signature that names a task or a company.
_SENTENCE = frozenset([
    "i", "we", "you", "he", "she", "it", "they", "me", "us", "him", "her", "them", "this", "that", "is", "are", "was",
    "be", "has", "have", "had", "will", "would", "can", "could", "should", "must", "please", "let", "too", "more",
    "less", "refused", "rejected",
])  # fmt: skip
#: Nor does a word of what is decided about: "Full price", "Eight seats", "Demo period".
_MATTER = frozenset([
    "seat", "seats", "agent", "agents", "user", "users", "telephone", "telephones", "plugin", "plugins", "add-on", "add-ons",
    "licence", "license", "demo", "trial", "plan", "contract", "price", "prices", "discount", "cost", "costs", "pay",
    "payment", "invoice", "order", "deposit", "money", "free",
    "day", "days", "week", "weeks", "month", "months", "year", "years", "january",
    "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    "monthly", "annual", "silver", "platinum", "posti", "postazioni", "prezzo", "pagamento", "sconto", "licenza",
    "fattura", "mese", "mesi", "anno", "plätze", "preis", "zahlung", "rabatt", "lizenz", "rechnung",
    "monat", "monate", "jahr", "postes", "prix", "paiement", "remise", "facture", "mois",
    "année", "puestos", "precio", "pago", "descuento", "licencia", "factura", "mes", "meses", "año",
])  # fmt: skip
_SIGNATURE_LINES = 8
_FAREWELL = re.compile(
    r"(?:thanks(?: a lot| again)?|thank you(?: very much| so much)?|many thanks|thx|(?:with )?(?:best |kind |warm )?regards|best|cheers|sincerely"
    r"|grazie|(?:cordiali |distinti |un )?saluti?|danke|(?:viele |liebe |beste |mit freundlichen )?gr(?:ü|ue)(?:ß|ss)en?|mfg|lg|vg"
    r"|merci|cordialement|bien à vous|gracias|(?:un )?saludos?|atentamente)\b[,.! ]*(.{0,40})",
    re.IGNORECASE,
)
#: Words of a condition or a second thought, in the five languages of the attributions. No name is one of them.
_CONDITION = re.compile(
    r"but|only|except|unless|if|however|not|without|provided|subject|after|once|when|pending|wait|don't|do|no|yet|later"
    r"|never|nothing|none|stop|undo|hold|sorry|oops|tomorrow|tonight|next|first|until|before|maybe|perhaps"
    r"|starting|waiting|valid|from|since|today|now|half|instead|paid|pagato|bezahlt|payé|pagado|oggi|heute|hoy|aujourd'hui"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|ma|solo|tranne|se|non|senza|però|poi|dopo|domani|prima|forse|mai"
    r"|aber|nur|außer|wenn|nicht|ohne|erst|morgen|später|nie|vielleicht|kein|nein|doch"
    r"|mais|sauf|si|pas|seulement|sans|demain|après|avant|jamais|rien|non"
    r"|pero|salvo|sólo|excepto|sin|mañana|después|antes|nunca|nada",
    re.IGNORECASE,
)


def is_farewell(lines: list[str]) -> bool:
    """Whether the lines are no more than thanks or regards and a name."""
    match = _FAREWELL.fullmatch(lines[0])
    names = [line for line in (match[1] if match else "", *lines[1:]) if line]
    return match is not None and len(names) < 4 and all(_name(name) for name in names)


def _name(line: str) -> bool:
    words = line.strip(" .,!").split()
    return len(words) < 4 and all(word[0].isupper() and not _conditional(word) for word in words)


def is_closing(lines: list[str], names: Collection[str], decisive: Collection[str]) -> bool:
    """Whether the lines are no more than a leave-taking, a name and where to find its bearer; ``names`` are of items, ``decisive`` the words that decide."""
    taken = _FAREWELL.fullmatch(lines[0])
    rest = [line for line in ((taken[1], *lines[1:]) if taken else lines) if line]
    return len(rest) <= _SIGNATURE_LINES and all(
        _mere(piece, names, decisive) or (number > 0 and line[-1] not in ".!?" and _title(piece, names, decisive))
        for number, line in enumerate(rest)
        for one in _BETWEEN.split(line)
        if (piece := one.strip(" .,!:"))
    )


def _mere(piece: str, names: Collection[str], decisive: Collection[str]) -> bool:
    """Whether it is a number, an address, or a few words in capitals that say nothing of an item or a condition."""
    if _CONTACT.fullmatch(piece):
        return True
    words = piece.split()
    called = " ".join(words).lower() in names or any(word.strip(".,:").lower() in decisive for word in words)
    return not called and len(words) < 7 and words[0] not in _SMALL and all(_titled(word) for word in words)


def _title(piece: str, names: Collection[str], decisive: Collection[str]) -> bool:
    """Whether it is what may stand below a name: "Sales manager", "Vendor srl"."""
    words = piece.split()
    small = [word.strip(".,:").lower() for word in words if not _titled(word)]
    said = {word.strip(".,:").lower() for word in words}
    return (
        len(words) < 6
        and len(small) < 3
        and _titled(words[0])
        and not any(map(_conditional, words))
        and not said & (_SENTENCE | _MATTER).union(decisive, names)
    )


def _titled(word: str) -> bool:
    return (word[0].isupper() or word[0].isdigit() or word in _SMALL) and not _conditional(word)


def _conditional(line: str) -> bool:
    return bool(_CONDITION.fullmatch((line.split() or [""])[0].strip(".,;:!-(")))
