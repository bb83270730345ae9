"""The desk: everything that is set up once and passed to all work."""

from dataclasses import dataclass, field
from datetime import datetime

from mailbot.clock import Clock
from mailbot.config.settings import Config
from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.desk.context import Timers
from mailbot.core.outbound.compose import Letterhead
from mailbot.core.outbound.words.phrases import Phrases
from mailbot.ids import Ids
from mailbot.maillog import MailLog
from mailbot.wording import Wording
from storage.engine import Store


@dataclass(frozen=True)
class Desk:
    """Configuration, catalogue, wording, database, clock, ids and log of one running desk."""

    config: Config
    catalogue: Catalogue
    wording: Wording
    store: Store
    clock: Clock
    ids: Ids
    log: MailLog
    #: Rows, by table and number, whose failure could not even be recorded; this process skips each until that moment.
    skipped: dict[tuple[str, int], datetime] = field(default_factory=dict)

    @property
    def letterhead(self) -> Letterhead:
        """What every mail says about the desk."""
        settings = self.config.mailbot
        return Letterhead(
            address=settings.address,
            name=settings.name,
            prefix=settings.ticket_prefix,
            language=settings.language,
            sub_addressing=self.config.smtp.sub_addressing,
            zone=self.config.zone,
            public_url=settings.public_url,
        )

    def say(self, key: str, /, **values: object) -> str:
        """A sentence of the templates, filled in, for texts to staff that have no template."""
        settings = self.config.mailbot
        return Phrases(self.wording, self.catalogue, settings.language, self.config.zone).say(key, **values)

    @property
    def timers(self) -> Timers:
        """How long the desk waits before it reminds and closes."""
        timers = self.config.timers
        return Timers(
            staff_reminder_hours=timers.staff_reminder_hours,
            customer_reminder_days=timers.customer_reminder_days,
            close_after_days=timers.close_after_days,
            key_days=timers.key_days,
            morning=timers.digest_at,
        )
