"""What a reply key is for."""

from enum import StrEnum


class Purpose(StrEnum):
    """What a key lets its holder do by reply."""

    CUSTOMER = "customer"
    CONFIRM = "confirm"  # CONFIRM or NO of a contact, or of an activation's sender
    EMAIL = "email"  # CONFIRM of another customer e-mail address
    DECISION = "decision"
    AGAIN = "again"  # CONFIRM of a decision that came from a member without a verdict
    DIGEST = "digest"
