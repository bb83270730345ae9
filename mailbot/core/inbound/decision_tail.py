"""What may stand below a decision without changing it: thanks, names, job titles, companies, numbers, addresses.

Any other words could be a condition ("Anna / not before May"), so the decision above them is not understood.
"""

import re
from collections.abc import Collection

#: Separates the parts of a line in a signature.
_BETWEEN_PARTS = re.compile(r"[|,;·•–—]| - ")
_CONTACT_DETAIL = re.compile(
    r"(?:[A-Za-z]{1,8}[.:]{0,2} )?[\d+()./ -]{5,30}|[^\s@]{1,60}@[^\s@]{1,60}|(?:https?://|www\.)\S{1,100}"
)
_SMALL_WORDS = frozenset(
    {"of", "and", "for", "the", "&", "di", "e", "del", "della", "von", "und", "für", "der", "de", "et", "y", "la", "el"}
)
#: Words of sentences, which no job title and no company name has.
_SENTENCE_WORDS = frozenset([
    "i", "we", "you", "he", "she", "it", "they", "me", "us", "him", "her", "them", "this", "that", "is", "are", "was",
    "be", "has", "have", "had", "will", "would", "can", "could", "should", "must", "please", "let", "too", "more",
    "less", "refused", "rejected",
])  # fmt: skip
#: Words of what is decided about, which neither has: "Full price", "Eight seats", "Demo period".
_SUBJECT_WORDS = frozenset([
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
_SIGNATURE_LINES_MAX = 8
_FAREWELL = re.compile(
    r"(?:thanks(?: a lot| again)?|thank you(?: very much| so much)?|many thanks|thx|(?:with )?(?:best |kind |warm )?regards|best|cheers|sincerely"
    r"|grazie|(?:cordiali |distinti |un )?saluti?|danke|(?:viele |liebe |beste |mit freundlichen )?gr(?:ü|ue)(?:ß|ss)en?|mfg|lg|vg"
    r"|merci|cordialement|bien à vous|gracias|(?:un )?saludos?|atentamente)\b[,.! ]*(.{0,40})",
    re.IGNORECASE,
)
#: Words of a condition or a second thought in five languages. No name is one of them.
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
    return match is not None and len(names) < 4 and all(_is_person(name) for name in names)


def _is_person(line: str) -> bool:
    words = line.strip(" .,!").split()
    return len(words) < 4 and all(word[0].isupper() and not _is_condition(word) for word in words)


def is_closing(lines: list[str], item_names: Collection[str], decision_words: Collection[str]) -> bool:
    """Whether the lines are no more than a farewell and a signature. They must not name an item or a decision."""
    farewell = _FAREWELL.fullmatch(lines[0])
    rest = [line for line in ((farewell[1], *lines[1:]) if farewell else lines) if line]
    return len(rest) <= _SIGNATURE_LINES_MAX and all(
        _is_name_or_contact(piece, item_names, decision_words)
        or (number > 0 and line[-1] not in ".!?" and _is_job_or_company(piece, item_names, decision_words))
        for number, line in enumerate(rest)
        for part in _BETWEEN_PARTS.split(line)
        if (piece := part.strip(" .,!:"))
    )


def _is_name_or_contact(piece: str, item_names: Collection[str], decision_words: Collection[str]) -> bool:
    """Whether it is a number, an address, or a few capitalised words without an item, a decision or a condition."""
    if _CONTACT_DETAIL.fullmatch(piece):
        return True
    words = piece.split()
    names_item = " ".join(words).lower() in item_names
    decides = any(word.strip(".,:").lower() in decision_words for word in words)
    capitalised = words[0] not in _SMALL_WORDS and all(_is_capitalised(word) for word in words)
    return not names_item and not decides and len(words) < 7 and capitalised


def _is_job_or_company(piece: str, item_names: Collection[str], decision_words: Collection[str]) -> bool:
    """Whether it is what may stand below a name: "Sales manager", "Vendor srl"."""
    words = piece.split()
    plain = {word.strip(".,:").lower() for word in words}
    return (
        len(words) < 6
        and sum(not _is_capitalised(word) for word in words) < 3
        and _is_capitalised(words[0])
        and not any(map(_is_condition, words))
        and not plain & (_SENTENCE_WORDS | _SUBJECT_WORDS).union(decision_words, item_names)
    )


def _is_capitalised(word: str) -> bool:
    """Whether a word can be part of a name: with a capital, a number, or a small word such as "of"; no condition."""
    return (word[0].isupper() or word[0].isdigit() or word in _SMALL_WORDS) and not _is_condition(word)


def _is_condition(line: str) -> bool:
    return bool(_CONDITION.fullmatch((line.split() or [""])[0].strip(".,;:!-(")))
