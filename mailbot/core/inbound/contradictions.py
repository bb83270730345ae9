"""Decisions of one mail that contradict each other: none of them may count."""

from collections.abc import Sequence

from mailbot.core.inbound.decision_grammar import DecisionLine


def contradicted_refs(lines: Sequence[DecisionLine]) -> frozenset[str]:
    """The references about which the lines contradict each other; "" stands for the only ticket of the mail.

    A line without items is about all that the lines before it left open; nothing may be decided differently after it.
    """
    binding = [line for line in lines if line.word.is_binding]
    found = set()
    for number, one in enumerate(binding):
        for other in binding[number + 1 :]:
            if _contradict(one, other):
                found |= (set(one.refs) & set(other.refs)) or ({""} if not (one.refs and other.refs) else set())
    return frozenset(found)


def _contradict(one: DecisionLine, other: DecisionLine) -> bool:
    if one.refs and other.refs and not set(one.refs) & set(other.refs):
        return False
    if one.word is other.word:
        return one.until != other.until
    return not one.items or bool(set(one.items) & set(other.items))
