"""One mail to one reader before it is put into words: the facts, and what it is addressed and signed with."""

from dataclasses import dataclass

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.desk.effects import Send
from mailbot.core.desk.ticket import Ticket
from mailbot.core.ledger.licence import Licence
from mailbot.core.outbound.compose import Envelope, Letterhead
from mailbot.core.outbound.readership import Reader


@dataclass(frozen=True)
class Draft:
    """Everything that the words of a mail follow from. The licences are those of the ticket's tokens, as far as known."""

    send: Send
    reader: Reader
    envelope: Envelope
    letterhead: Letterhead
    catalogue: Catalogue
    ticket: Ticket | None = None
    licence: Licence | None = None
    new_licence: Licence | None = None
