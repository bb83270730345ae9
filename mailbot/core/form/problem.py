"""What can be wrong with a form. The sentences that customers read are in the templates, one for each code."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never


class Code(StrEnum):
    """What is wrong, in the words of the contract."""

    MISSING = "missing"
    UNKNOWN_VALUE = "unknown_value"
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    NOT_ABOVE_CURRENT = "not_above_current"
    NOT_BELOW_CURRENT = "not_below_current"
    GIVEN_TWICE = "given_twice"
    NEAR_LABEL = "near_label"
    NOT_ACCEPTED = "not_accepted"
    TOKEN_MALFORMED = "token_malformed"  # noqa: S105 - a problem code, not a secret
    TOKEN_UNKNOWN = "token_unknown"  # noqa: S105
    TOKEN_ACTIVE = "token_active"  # noqa: S105
    TOKEN_NOT_ACTIVE = "token_not_active"  # noqa: S105
    DEMO_USED = "demo_used"
    ALREADY_HAS = "already_has"
    DOES_NOT_HAVE = "does_not_have"
    REQUIRES = "requires"
    REQUIRED_BY = "required_by"
    NO_CHANGE = "no_change"
    ATTACHMENT_MISSING = "attachment_missing"
    ATTACHMENT_UNREADABLE = "attachment_unreadable"


def _reveals_ledger(code: Code) -> bool:
    """Whether a code tells what the ledger holds. The others follow from the form, unless ``Problem.from_ledger``."""
    match code:
        case (
            Code.NOT_ABOVE_CURRENT
            | Code.NOT_BELOW_CURRENT
            | Code.TOKEN_UNKNOWN
            | Code.TOKEN_ACTIVE
            | Code.TOKEN_NOT_ACTIVE
            | Code.DEMO_USED
            | Code.ALREADY_HAS
            | Code.DOES_NOT_HAVE
            | Code.NO_CHANGE
        ):
            return True
        case (
            Code.MISSING
            | Code.UNKNOWN_VALUE
            | Code.NOT_A_NUMBER
            | Code.OUT_OF_RANGE
            | Code.GIVEN_TWICE
            | Code.NEAR_LABEL
            | Code.NOT_ACCEPTED
            | Code.TOKEN_MALFORMED
            | Code.REQUIRES
            | Code.REQUIRED_BY
            | Code.ATTACHMENT_MISSING
            | Code.ATTACHMENT_UNREADABLE
        ):
            return False
        case _:
            assert_never(code)


#: Codes that are shown only to the licence's contacts and to partners.
LEDGER_CODES = frozenset(code for code in Code if _reveals_ledger(code))
#: Separates names of which one is to be chosen.
OR = "|"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with a form.

    ``field``: a field key, or "items" if one of several is needed. ``read``: what was read, "" if nothing. ``expected``: a
    name, names of which one is to be chosen (see `either`), a range ("5-100"), a key of the table "expected" for a sentence in the
    templates, or the status of a licence that is not active. ``hint``: the nearest right value, only a suggestion, "" if none.
    ``from_ledger``: it was found in the ledger although its code is one of the form.
    """

    field: str
    code: Code
    read: str = ""
    expected: str = ""
    hint: str = ""
    from_ledger: bool = False


def either(names: Iterable[str]) -> str:
    """Names of which one is to be chosen, for the ``expected`` of a ``Problem``; the sentences say "A, B or C"."""
    return OR.join(names)
