"""Phrases of absence notices that their header does not mark, in five languages."""

import re

_BY_SUBJECT = tuple(
    line.strip()
    for line in """
    automatic reply:
    automatic reply for
    auto reply:
    auto-reply:
    autoreply:
    autoreply for
    auto response:
    auto-response:
    autoresponse:
    auto: out of office
    out of office:
    out of office autoreply
    out of office reply
    out of office re:
    ooo:
    ooo re:
    vacation:
    out of the office:
    vacation reply
    abwesenheitsnotiz
    automatische antwort:
    automatische antwort auf
    abwesend:
    risposta automatica
    risposta automatica:
    fuori sede:
    fuori ufficio:
    assenza dall'ufficio
    assenza: re:
    réponse automatique
    absence du bureau
    absent du bureau
    absence: re:
    message d'absence
    respuesta automática
    respuesta automatica
    fuera de la oficina
    ausente de la oficina
    ausencia: re:
    """.strip().splitlines()
)
_WHOLE_SUBJECTS = frozenset({"out of office", "out of the office", "automatic reply", "autoreply", "fuori ufficio"})
_BY_TEXT = (
    "this is an automatic reply",
    "this is an automated reply",
    "this is an automatic response",
    "this is an automated response",
    "i am currently out of the office",
    "i am out of the office",
    "i'm currently out of the office",
    "i'm out of the office",
    "i will be out of the office",
    "i am on vacation",
    "i am currently on vacation",
    "i am on annual leave",
    "i am currently on annual leave",
    "i am on leave until",
    "i am out of office",
    "i'm out of office",
    "i am currently out of",
    "i'm currently out of",
    "i am away from the office",
    "i'm away from the office",
    "i am currently away",
    "i'm currently away",
    "i am on holiday until",
    "i'm on holiday until",
    "i am on parental leave",
    "i'm on parental leave",
    "i am on maternity leave",
    "i'm on maternity leave",
    "i am currently on leave",
    "i no longer work at",
    "i no longer work for",
    "this mailbox is no longer monitored",
    "this mailbox is not monitored",
    "this is an automated message",
    "this is an automatic message",
    "your message has been received",
    "we have received your message",
    "we have received your email",
    "questa è una risposta automatica",
    "questo è un messaggio automatico",
    "messaggio automatico:",
    "attualmente non sono in ufficio",
    "attualmente sono fuori",
    "sono in maternità",
    "sono fuori ufficio",
    "sarò fuori ufficio",
    "sono fuori sede",
    "sono attualmente fuori",
    "sono in ferie",
    "sarò in ferie",
    "sono assente",
    "sarò assente",
    "dies ist eine automatische antwort",
    "dies ist eine automatisch generierte",
    "diese nachricht wurde automatisch",
    "diese e-mail wurde automatisch",
    "ceci est une réponse automatique",
    "ceci est un message automatique",
    "actuellement en congé",
    "actuellement absent",
    "je suis absent",
    "je suis actuellement absent",
    "je suis en congé",
    "je suis actuellement en congé",
    "je serai absent",
    "je serai en congé",
    "je suis en vacances",
    "esta es una respuesta automática",
    "este es un mensaje automático",
    "me encuentro de vacaciones",
    "estaré ausente",
    "estoy fuera de la oficina",
    "estaré fuera de la oficina",
    "estoy de vacaciones",
    "estaré de vacaciones",
    "no me encuentro en la oficina",
    "me encuentro fuera de la oficina",
    "actualmente estoy fuera",
)
#: A greeting and thanks that may precede the phrase on its line.
_POLITE = re.compile(
    r"(?:(?:hi|hello|dear|good|salve|buongiorno|ciao|gentile|hallo|guten|sehr geehrte|bonjour|hola|buenos)\b[^,.!]{0,40}[,.!]\s{0,3})?"
    r"(?:(?:thank you|thanks|many thanks|grazie|vielen dank|danke|merci|gracias)\b[^,.!]{0,60}[,.!]\s{0,3})?"
)
#: "Ich bin bis ...", "Vom 3. bis 9. November bin ich ...".
_GERMAN_SELF = re.compile(
    r"ich (?:bin|befinde mich) |(?:(?:vom|bis) [^,!?a-z]{0,9}\d[^,!?]{0,40}|derzeit|zurzeit|aktuell) (?:bin|befinde) ich "
)
_GERMAN = (
    "im urlaub",
    "abwesend",
    "nicht erreichbar",
    "nicht im büro",
    "nicht im haus",
    "in elternzeit",
    "außer haus",
    "ausser haus",
    "nicht am arbeitsplatz",
)


def absence_phrase(subject: str, text: str) -> str | None:
    """Where an absence notice was recognised, subject or text; None if it was not. Only a phrase at the beginning counts."""
    subject = subject.lower().replace("’", "'").replace(" :", ":")
    if subject.startswith(_BY_SUBJECT) or subject in _WHOLE_SUBJECTS:
        return "the subject of an absence notice"
    lines = [line.strip() for line in text[:4000].splitlines() if line.strip()]
    own_lines = [line for line in lines[:4] if not line.startswith(">")]
    if any(_is_absence(line.lower().replace("’", "'")) for line in own_lines):
        return "the words of an absence notice"
    return None


def _is_absence(line: str) -> bool:
    said = _POLITE.sub("", line, count=1)
    german = _GERMAN_SELF.match(said) is not None and any(word in said for word in _GERMAN)
    return german or said.startswith(_BY_TEXT)
