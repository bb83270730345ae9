"""Where a signature begins: ``--``, closing words in five languages, and the lines that phones and companies add."""

import re
from collections.abc import Sequence
from unicodedata import normalize

from mailbot.core.form.fields import normalise

_SIGN_OFFS = frozenset(
    """best regards|kind regards|warm regards|regards|with best regards|with kind regards|best wishes|sincerely|yours sincerely
    |yours faithfully|sincerely yours|thanks and regards|thanks and best regards|many thanks and best regards|cheers|br
    |cordiali saluti|distinti saluti|saluti|un saluto|un cordiale saluto|grazie e saluti|grazie e cordiali saluti
    |mit freundlichen grüßen|mit freundlichen gruessen|mit freundlichem gruß|freundliche grüße|viele grüße|beste grüße
    |schöne grüße|liebe grüße|mfg|cordialement|bien cordialement|bien à vous|meilleures salutations|sincères salutations
    |salutations|saludos|un saludo|saludos cordiales|un cordial saludo|atentamente""".replace("\n    ", "").split("|")
)
#: A closing sentence: "In attesa di un riscontro porgo cordiali saluti."
_CLOSING = re.compile(
    r"[^:]*\b(?:porg\w+|invi\w+|con|with|and|mit|und|agréer|recevez|recevoir|reciban?)\b[^:]*"
    r"(?:best regards|kind regards|cordiali saluti|distinti saluti|freundlichen grüßen|besten grüßen"
    r"|salutations distinguées|sincères salutations|un cordial saludo|saludos cordiales)"
)
#: "Viele Grüße aus Köln", "Saluti da Torino", "Regards from Rome".
_PLACE = re.compile(
    r"(?<=[\w]) (?:aus|von|da|dall'|dalla|de|desde|from)(?: (?:der|dem|la|el|the))? ?[\w-]{2,30}(?: [\w-]{2,30})?$"
)
_APPS = r"(?:outlook|mail|gmail|der (?:gmx|web\.de) mail app|telefono|yahoo mail|proton mail|protonmail|tutanota|libero mail|mobile|(?:my |mein|mon |mi |il mio )?(?:iphone|ipad|android|samsung|blackberry|galaxy|smartphone|mobile|handy|cellulare|m[óo]vil|portable|t[ée]l[ée]phone))"
_DEVICE = re.compile(
    rf"(?:sent from my(?: [\w./-]+){{1,5}}\W*$|sent (?:from|with|via) (?:my |the )?(?:secure )?\[?{_APPS}|get outlook for |(?:inviato|scritto) (?:da|dal|con) (?:il )?(?:mio )?{_APPS}"
    rf"|scarica outlook per |ottieni outlook per |von mein.{{1,60}}gesendet|gesendet (?:von|mit|über) (?:meine[mr] )?{_APPS}"
    rf"|holen sie sich outlook |outlook für (?:ios|android)|envoy[ée] (?:de|depuis|à partir de|avec) {_APPS}|t[ée]l[ée]charger outlook "
    rf"|obtenir outlook pour |enviado (?:desde|con) {_APPS}|obtener outlook para |descargar outlook para )"
)
_THIS_MAIL = (
    r"(?:e-?mail|mail|message|communication|transmission|messaggio|comunicazione|nachricht|courriel|mensaje|correo)\b"
)
#: "This e-mail and its attachments are confidential", "Le informazioni contenute in questa comunicazione ...".
_DISCLAIMER = re.compile(
    rf"(?:(?:this|(?:the )?(?:information|contents?)(?: contained)? (?:in|of) this|quest[ao]|(?:la|il) presente"
    rf"|(?:le informazioni|il contenuto)(?: contenut[eo])? (?:in|di) quest[ao]|diese|(?:die|der inhalt)(?: in)? dieser"
    rf"|cet?|les informations contenues dans cet?|este|(?:la información|el contenido)(?: contenid[ao])? (?:en|de) este)"
    rf" {_THIS_MAIL}.{{0,250}}(?:confidential|privileged|intended (?:only|solely|exclusively)? ?for|riservat|confidenzial"
    rf"|esclusiv|vertraulich|rechtlich geschützt|ausschließlich|confidentiel|exclusi|confidencial)"
    rf"|\W*(?:confidentiality notice|legal disclaimer|disclaimer|avviso di riservatezza|nota di riservatezza|vertraulichkeitshinweis"
    rf"|avis de confidentialité|aviso legal|aviso de confidencialidad)\b ?:?"
    rf"|\W*(?:please )?(?:consider|think of) the environment before printing|prima di stampare|\W*bitte denken sie an die umwelt"
    rf"|\W*pensez à l'environnement|\W*antes de imprimir)"
)
#: Most lines of a disclaimer's first sentence.
_WRAPPED_LINES_MAX = 4


def begins_disclaimer(lines: Sequence[str], at: int) -> bool:
    """Whether a company's disclaimer begins at this line."""
    below = lines[at : at + _WRAPPED_LINES_MAX]
    end = next((n for n, line in enumerate(below) if not line.strip()), _WRAPPED_LINES_MAX)
    return bool(_DISCLAIMER.match(fold_line(" ".join(below[:end]))))


def begins_signature(line: str) -> bool:
    """Whether a signature begins at this line: ``--``, closing words, a phone's line, or a PGP signature."""
    words = _PLACE.sub("", normalise(line[:100]).strip(" ,.!*>"))
    return (
        line.strip("> \t\u00a0") in ("--", "- --", "-----BEGIN PGP SIGNATURE-----")
        or words in _SIGN_OFFS
        or (len(line) <= 100 and bool(_CLOSING.fullmatch(words)))
        or is_device_line(line)
    )


def is_device_line(line: str) -> bool:
    """Whether a phone or a web mailer added this line."""
    return len(line) <= 160 and bool(_DEVICE.match(fold_line(line).lstrip("*_[( >")))


def fold_line(line: str) -> str:
    """The first 400 characters of a line for comparing: lower case, single spaces, accents composed."""
    words = " ".join(line[:400].replace("’", "'").lower().split())
    return words if words.isascii() else normalize("NFC", words)
