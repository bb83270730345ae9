"""What a reply key is for."""

from enum import StrEnum
from typing import assert_never


class Purpose(StrEnum):
    """What a key lets its holder do by reply."""

    CUSTOMER = "customer"
    CONFIRM = "confirm"  # a contact, or the sender of an activation, confirms the request
    CONFIRM_EMAIL = "email"  # a person confirms that their address is the new customer e-mail
    DECISION = "decision"
    CONFIRM_DECISION = "again"  # a member confirms a decision that came without proof of its sender
    DIGEST = "digest"

    @property
    def is_for_staff(self) -> bool:
        """Whether such a key is given to members of staff, not to customers."""
        match self:
            case Purpose.DECISION | Purpose.CONFIRM_DECISION | Purpose.DIGEST:
                return True
            case Purpose.CUSTOMER | Purpose.CONFIRM | Purpose.CONFIRM_EMAIL:
                return False
            case _:
                assert_never(self)
