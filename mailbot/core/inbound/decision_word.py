"""The words that begin a decision of staff, and those that answer a question for confirmation."""

from enum import StrEnum
from typing import assert_never


class DecisionWord(StrEnum):
    """The first word of a decision."""

    APPROVE = "APPROVE"
    REJECT = "REJECT"
    ASK = "ASK"
    ANSWER = "ANSWER"
    NOTE = "NOTE"
    HOLD = "HOLD"

    @property
    def is_binding(self) -> bool:
        """Whether it decides about items. The others may come at any time."""
        match self:
            case DecisionWord.APPROVE | DecisionWord.REJECT:
                return True
            case DecisionWord.ASK | DecisionWord.ANSWER | DecisionWord.NOTE | DecisionWord.HOLD:
                return False
            case _:
                assert_never(self)

    @property
    def takes_text(self) -> bool:
        """Whether a text follows it, over as many lines as it has."""
        match self:
            case DecisionWord.REJECT | DecisionWord.ASK | DecisionWord.ANSWER | DecisionWord.NOTE:
                return True
            case DecisionWord.APPROVE | DecisionWord.HOLD:
                return False
            case _:
                assert_never(self)

    @property
    def goes_to_customer(self) -> bool:
        """Whether the customer reads its text."""
        match self:
            case DecisionWord.REJECT | DecisionWord.ASK | DecisionWord.ANSWER:
                return True
            case DecisionWord.NOTE | DecisionWord.APPROVE | DecisionWord.HOLD:
                return False
            case _:
                assert_never(self)


class ConfirmationWord(StrEnum):
    """The answer to "Did you ask for this?"."""

    CONFIRM = "CONFIRM"
    NO = "NO"
