"""Where a signature begins: the line of a mail program, closing words in five languages, what a telephone adds."""

import re
from unicodedata import normalize

from mailbot.core.forms import normal

_SIGN_OFFS = frozenset(
    """best regards|kind regards|warm regards|regards|with best regards|with kind regards|best wishes|sincerely|yours sincerely
    |yours faithfully|sincerely yours|thanks and regards|thanks and best regards|many thanks and best regards|cheers|br
    |cordiali saluti|distinti saluti|saluti|un saluto|un cordiale saluto|grazie e saluti|grazie e cordiali saluti
    |mit freundlichen grüßen|mit freundlichen gruessen|mit freundlichem gruß|freundliche grüße|viele grüße|beste grüße
    |schöne grüße|liebe grüße|mfg|cordialement|bien cordialement|bien à vous|meilleures salutations|sincères salutations
    |salutations|saludos|un saludo|saludos cordiales|un cordial saludo|atentamente""".replace("\n    ", "").split("|")
)
#: A sentence that is a closing: "In attesa di un riscontro porgo cordiali saluti."
_CLOSING = re.compile(
    r"[^:]*\b(?:porg\w+|invi\w+|con|with|and|mit|und|agréer|recevez|recevoir|reciban?)\b[^:]*"
    r"(?:best regards|kind regards|cordiali saluti|distinti saluti|freundlichen grüßen|besten grüßen"
    r"|salutations distinguées|sincères salutations|un cordial saludo|saludos cordiales)"
)
#: "Viele Grüße aus Köln", "Saluti da Torino", "Regards from Rome".
_FROM_WHERE = re.compile(
    r"(?<=[\w]) (?:aus|von|da|dall'|dalla|de|desde|from)(?: (?:der|dem|la|el|the))? ?[\w-]{2,30}(?: [\w-]{2,30})?$"
)
_APP = r"(?:outlook|mail|gmail|yahoo mail|proton mail|protonmail|tutanota|libero mail|mobile|(?:my |mein|mon |mi |il mio )?(?:iphone|ipad|android|samsung|blackberry|galaxy|smartphone|mobile|handy|cellulare|m[óo]vil|portable|t[ée]l[ée]phone))"
_DEVICE = re.compile(
    rf"(?:sent from my(?: [\w./-]+){{1,5}}\W*$|sent (?:from|with|via) (?:my |the )?(?:secure )?\[?{_APP}|get outlook for |(?:inviato|scritto) (?:da|dal|con) (?:mio )?{_APP}"
    rf"|scarica outlook per |ottieni outlook per |von mein.{{1,60}}gesendet|gesendet (?:von|mit|über) (?:meine[mr] )?{_APP}"
    rf"|holen sie sich outlook |outlook für (?:ios|android)|envoy[ée] (?:de|depuis|à partir de|avec) {_APP}|t[ée]l[ée]charger outlook "
    rf"|obtenir outlook pour |enviado (?:desde|con) {_APP}|obtener outlook para |descargar outlook para )"
)


def is_signature(line: str) -> bool:
    """Whether a signature begins at this line: ``--``, closing words, a telephone's line, or a PGP signature."""
    words = _FROM_WHERE.sub("", normal(line[:100]).strip(" ,.!*>"))
    return (
        line.strip("> \t\u00a0") in ("--", "- --", "-----BEGIN PGP SIGNATURE-----")
        or words in _SIGN_OFFS
        or (len(line) <= 100 and bool(_CLOSING.fullmatch(words)))
        or is_device(line)
    )


def is_device(line: str) -> bool:
    """Whether a telephone or a web mailer wrote this line."""
    return len(line) <= 160 and bool(_DEVICE.match(plain(line).lstrip("*_[( >")))


def plain(line: str) -> str:
    """What is compared: the beginning of a line in lower case, its white space single, its accents composed."""
    words = " ".join(line[:400].replace("’", "'").lower().split())
    return words if words.isascii() else normalize("NFC", words)
