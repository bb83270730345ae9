"""One thing wrong with a form. The sentences that customers read live in the templates, one per code."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


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


#: Codes that cannot be known without looking into the ledger: told only to contacts of that licence and partners.
LEDGER_CODES = frozenset(
    {
        Code.NOT_ABOVE_CURRENT,
        Code.NOT_BELOW_CURRENT,
        Code.TOKEN_UNKNOWN,
        Code.TOKEN_ACTIVE,
        Code.TOKEN_NOT_ACTIVE,
        Code.DEMO_USED,
        Code.ALREADY_HAS,
        Code.DOES_NOT_HAVE,
        Code.NO_CHANGE,
    }
)


#: Stands between names of which one is to be chosen.
OR = "|"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One fault of a form.

    ``field`` is a field key (``items`` where one of several is needed), ``read`` what was read there ("" if nothing),
    ``expected`` what would be right: a name, names of which one is to be chosen (`either`), a range ("5-100"), or
    ``expected.KEY``, a sentence of its own; of a licence that is not active its status. ``hint`` the nearest right value,
    a suggestion only ("" if none).
    """

    field: str
    code: Code
    read: str = ""
    expected: str = ""
    hint: str = ""
    from_ledger: bool = False


def either(names: Iterable[str]) -> str:
    """Names of which one is to be chosen; the sentences say "A, B or C"."""
    return OR.join(names)
