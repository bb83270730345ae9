"""Yes, no and agreement in five languages. A value that says anything else as well is neither."""

import re

from mailbot.core.form.fields import normalise

_YES = frozenset({"yes", "y", "si", "sì", "sí", "ja", "oui", "true", "checked", "x", "[x]"})
_NO = frozenset({"no", "n", "nein", "non", "false", "unchecked"})
_AGREED = frozenset(
    """i accept|i agree|accepted|agreed|accept|agree|i do|i accept the license agreement|accetto|accettato|d'accordo
    |ich stimme zu|ich akzeptiere|akzeptiert|zugestimmt|einverstanden|j'accepte|accepté|d'accord|acepto|aceptado
    |estoy de acuerdo|de acuerdo|we accept|we agree|we do|we accept the license agreement|accettiamo|wir stimmen zu
    |wir akzeptieren|nous acceptons|aceptamos|estamos de acuerdo""".replace("\n    ", "").split("|")
)
#: Words of courtesy that do not change a yes or no.
_COURTESY = frozenset(
    """please|thanks|thank you|many thanks|of course|per favore|grazie|grazie mille|certo|bitte|danke|vielen dank|gerne
    |natürlich|s'il vous plaît|merci|merci beaucoup|bien sûr|por favor|gracias|muchas gracias|claro|por supuesto""".replace(
        "\n    ", ""
    ).split("|")
)
#: The seed's wording: Select "NO"; on field "..." select the option YES.
_SELECT = re.compile(r'^"? ?select (?:the option )?')
_PHRASES = re.compile(r"[,;.!]+")


def yes_or_no(raw: str, *, agreeing: bool = False) -> bool | None:
    """The answer in a value, courtesy aside; None if it is neither yes nor no, or both. ``agreeing``: "I accept" is a yes."""
    plain = _SELECT.sub("", normalise(raw))
    words = [_without_courtesy(word.strip(" .\"'")) for word in _PHRASES.split(plain)]
    said = [word for word in words if word]
    if said and all(word in _YES or (agreeing and _agrees(word)) for word in said):
        return True
    return False if said and all(word in _NO for word in said) else None


def _agrees(word: str) -> bool:
    """Whether a phrase is agreement, also after a yes: "sì accettiamo"."""
    first, _, rest = word.partition(" ")
    return word in _AGREED or (first in _YES and rest in _AGREED)


def _without_courtesy(word: str) -> str:
    """The phrase without the courtesy at its end."""
    courtesy = max((one for one in _COURTESY if word == one or word.endswith(f" {one}")), key=len, default="")
    return word.removesuffix(courtesy).rstrip()
