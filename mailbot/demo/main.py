"""Runs ``mailbot demo``: a temporary folder, the servers, the desk, the cases, then ``--stay`` if asked for."""

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
from mailbot.demo.demo_desk import RunningDesk, configuration
from mailbot.demo.mail_client import ADDRESSES, PEOPLE, MailClient
from mailbot.demo.mail_page import MailPage
from mailbot.demo.mail_server import HOST, MailServers
from mailbot.demo.player import Player
from mailbot.demo.script import cases
from mailbot.demo.transcript import WIDTH, Transcript
from mailbot.ids import SystemIds


def run_demo(*, json: bool, stay: bool) -> tuple[bool, dict[str, Any]]:
    """Play the demo; returns (whether every case ended as expected, the document of ``mailbot demo --json``)."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as with Ctrl-C, so that everything is removed
    transcript = Transcript(None if json else Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False))
    faults: list[str] = []
    tickets: list[dict[str, Any]] = []
    with _folder() as folder, _servers(transcript) as servers:
        config = folder / "mailbot.toml"
        config.write_text(configuration(folder, servers), "utf-8")
        people = {who[1]: _client(who, servers) for who in PEOPLE}
        with RunningDesk(config, transcript.understood, transcript.trouble) as desk:
            transcript.kind, transcript.marker = desk.kind, desk.desk.wording.marker
            player = Player(desk, people, transcript)
            player.play(cases(system().astimezone(desk.desk.config.zone)))
            faults, tickets = player.faults, desk.tickets()
            transcript.tickets(tickets)
            if stay:
                _stay(transcript, servers, people, config)
    return not faults, {"good": not faults, "faults": faults, "conversation": transcript.entries, "tickets": tickets}


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mailbot-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _servers(transcript: Transcript) -> MailServers:
    return MailServers(ADDRESSES, SystemIds().stream("demo")(12).hex(), transcript.mail)


def _client(who: tuple[str, str, str], servers: MailServers) -> MailClient:
    return MailClient(*who, servers.password, servers.imap_port, servers.smtp_port)


def _stay(transcript: Transcript, servers: MailServers, people: dict[str, MailClient], config: Path) -> None:
    """Keep everything running until Ctrl-C or SIGTERM."""
    page = MailPage(people)
    port = servers.call(page.start())
    try:
        transcript.note(f"Web page for mail: http://{HOST}:{port}/ (read, write and reply as customer or staff)")
        transcript.note(
            f"Your own mail program: IMAP {HOST}:{servers.imap_port}, SMTP {HOST}:{servers.smtp_port}, without TLS,"
        )
        transcript.note(f"  as {', '.join(people)}, password {servers.password}")
        transcript.note(f"Commands of this desk: {sys.argv[0]} tickets -c {config}")
        transcript.note("Press Ctrl-C to stop the demo and remove everything.")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    finally:
        servers.call(page.stop())
