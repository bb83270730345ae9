"""``mailbot demo`` from start to end: a folder, the servers, the desk, the cases, and what is left when it stays."""

import contextlib
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from mailbot.clock import system
from mailbot.demo.correspondents import ADDRESSES, PEOPLE, Client
from mailbot.demo.demo_desk import RunningDesk, configuration
from mailbot.demo.mail_page import Page
from mailbot.demo.mail_server import HOST, Servers
from mailbot.demo.play import Play
from mailbot.demo.script import cases
from mailbot.demo.transcript import WIDTH, Transcript
from mailbot.ids import SystemIds


def play_demo(*, json: bool, stay: bool) -> tuple[bool, dict[str, Any]]:
    """Play the demo. (Whether all ended as expected, the whole conversation with the tickets)."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does, and leaves nothing
    told = Transcript(None if json else Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False))
    faults: list[str] = []
    tickets: list[dict[str, Any]] = []
    with _folder() as folder, _servers(told) as servers:
        config = folder / "mailbot.toml"
        config.write_text(configuration(folder, servers), "utf-8")
        people = {who[1]: _client(who, servers) for who in PEOPLE}
        with RunningDesk(config, told.understood, told.trouble) as desk:
            told.kind, told.marker = desk.kind, desk.desk.wording.marker
            play = Play(desk, people, told)
            play.play(cases(system().astimezone(desk.desk.config.zone)))
            faults, tickets = play.faults, desk.tickets()
            told.tickets(tickets)
            if stay:
                _stay(told, servers, people, config)
    return not faults, {"good": not faults, "faults": faults, "conversation": told.entries, "tickets": tickets}


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mailbot-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _servers(told: Transcript) -> Servers:
    return Servers(ADDRESSES, SystemIds().stream("demo")(12).hex(), told.mail)


def _client(who: tuple[str, str, str], servers: Servers) -> Client:
    return Client(*who, servers.password, servers.imap_port, servers.smtp_port)


def _stay(told: Transcript, servers: Servers, people: dict[str, Client], config: Path) -> None:
    """Everything stays up until Ctrl-C or SIGTERM."""
    page = Page(people)
    port = servers.call(page.start())
    try:
        told.note(f"Web page for mail: http://{HOST}:{port}/ (read, write and reply as customer or staff)")
        told.note(
            f"Your own mail program: IMAP {HOST}:{servers.imap_port}, SMTP {HOST}:{servers.smtp_port}, without TLS,"
        )
        told.note(f"  as {', '.join(people)}, password {servers.password}")
        told.note(f"Commands of this desk: {sys.argv[0]} tickets -c {config}")
        told.note("Press Ctrl-C to stop the demo and remove everything.")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    finally:
        servers.call(page.stop())
