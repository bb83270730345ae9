"""Throwaway servers for tests, on loopback and random ports: a real Dovecot, and an SMTP server that obeys a script."""

import asyncio
import ctypes
import grp
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from itertools import count
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session, syntax
from imapclient import IMAPClient

from mailbot.servers.imap import ImapSettings
from mailbot.servers.smtp import SmtpSettings

HOST = "127.0.0.1"
USER, PASSWORD = "desk", "let me in"
_PATIENCE = 20  # seconds for a server to start or stop; only ever used up by a failure


def needed(program: str) -> str:
    """The path of a program; where it is not installed the test is skipped, in CI it fails."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin{os.pathsep}/usr/local/sbin")
    if path is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{program} is not installed")
    return path


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])


@dataclass(frozen=True)
class Certificate:
    """A certificate for localhost and 127.0.0.1 that has signed itself: ``chain`` is also the authority to trust."""

    chain: Path
    key: Path


def certificate(folder: Path) -> Certificate:
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    command = [needed("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=localhost", "-addext", f"subjectAltName=DNS:localhost,IP:{HOST}"]
    command += ["-out", str(made.chain), "-keyout", str(made.key)]
    subprocess.run(command, check=True, capture_output=True)
    return made


#: Where a server can be reached under a name that its certificate does not hold.
ELSEWHERE = "127.0.0.2"


@contextmanager
def relayed(port: int) -> Iterator[int]:
    """One connection to the port given back, at ELSEWHERE, is passed on to ``port``."""
    with socket.create_server((ELSEWHERE, 0)) as relay:
        relaying = threading.Thread(target=_relay, args=(relay, port), daemon=True)
        relaying.start()
        yield int(relay.getsockname()[1])
        relaying.join()


def _relay(relay: socket.socket, port: int) -> None:
    client, _ = relay.accept()
    with client, socket.create_connection((HOST, port)) as upstream:
        back = threading.Thread(target=_pour, args=(upstream, client))
        back.start()
        _pour(client, upstream)
        back.join()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    try:
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


# --- Dovecot ---------------------------------------------------------------------------------------------------------

_DOVECOT = """
protocols = imap
listen = 127.0.0.1
base_dir = {home}/run
state_dir = {home}/run
log_path = {home}/dovecot.log
default_login_user = {login_user}
default_internal_user = {internal_user}
default_internal_group = {internal_group}
first_valid_uid = 1
mail_max_userip_connections = 100
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:~/Maildir
passdb {{
  driver = passwd-file
  args = {home}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


@dataclass
class Dovecot:
    """A Dovecot with one user, whose INBOX starts empty."""

    home: Path
    port: int
    tls_port: int
    certificate: Certificate | None
    program: str
    _process: subprocess.Popen[bytes] | None = None
    _names: Iterator[int] = field(default_factory=count)

    def settings(self, security: str = "plain", **other: object) -> ImapSettings:
        """Settings that work, unless ``other`` says otherwise."""
        known: dict[str, object] = {
            "host": HOST,
            "port": self.tls_port if security == "tls" else self.port,
            "security": security,
            "username": USER,
            "password": PASSWORD,
            "max_bytes": 1_000_000,
            "ca_file": str(self.certificate.chain) if self.certificate else None,
        }
        return ImapSettings(**known | other)  # type: ignore[arg-type]

    def start(self) -> None:
        command = [self.program, "-F", "-c", str(self.home / "dovecot.conf")]
        self._process = subprocess.Popen(command, start_new_session=True, preexec_fn=_die_with_us)
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                with socket.create_connection((HOST, self.port), timeout=_PATIENCE) as sock:
                    if sock.recv(4) == b"* OK":
                        return
            except OSError:
                pass
            if time.monotonic() > end or self._process.poll() is not None:
                pytest.fail(f"Dovecot does not start:\n{self.log}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Kills the server and all that it has started, at once; connections break."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_PATIENCE)
            self._process = None

    @property
    def log(self) -> str:
        path = self.home / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else "(no log)"

    @contextmanager
    def client(self, folder: str | None = None) -> Iterator[IMAPClient]:
        """Another mail program on the same mailbox."""
        with IMAPClient(HOST, self.port, ssl=False, timeout=_PATIENCE) as client:
            client.login(USER, PASSWORD)
            if folder is not None:
                client.select_folder(folder)
            yield client

    def append(self, raw: bytes, internaldate: datetime | None = None, folder: str = "INBOX") -> None:
        """Puts a mail into the folder by IMAP."""
        with self.client() as client:
            client.append(folder, raw, msg_time=internaldate)

    def deliver(self, raw: bytes) -> None:
        """Puts a mail into the INBOX as a delivery agent does (maildir), which is quick and tells who is in IDLE."""
        name = f"{time.time_ns()}.{next(self._names)}_{os.getpid()}.test"
        mail = self.home / "mail" / "Maildir"
        for folder in (mail, *(mail / part for part in ("tmp", "new", "cur"))):
            if not folder.exists():
                folder.mkdir()
                _give(folder)
        (mail / "tmp" / name).write_bytes(raw)
        _give(mail / "tmp" / name)
        (mail / "tmp" / name).rename(mail / "new" / name)

    def mails(self, folder: str = "INBOX") -> list[bytes]:
        """The mails of a folder, oldest first, bytes as a client gets them."""
        with self.client() as client:
            if not client.folder_exists(folder):
                return []
            client.select_folder(folder, readonly=True)
            found = client.fetch(client.search("ALL", charset=None), ["BODY.PEEK[]"])
            return [found[uid][b"BODY[]"] for uid in sorted(found)]


def _die_with_us() -> None:
    """A test run that is killed leaves no server behind, where the system can do that (Linux, PR_SET_PDEATHSIG)."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(1, signal.SIGTERM)


@contextmanager
def dovecot(tmp_path: Path, tls: bool = False, capability: str | None = None) -> Iterator[Dovecot]:
    """A running Dovecot; with ``capability`` it knows of nothing else (such as ``IMAP4rev1 UIDPLUS``)."""
    program = needed("dovecot")
    # Sockets live in there, whose paths may have 107 characters; pytest's folders are longer.
    home = Path(tempfile.mkdtemp(prefix="dovecot-"))
    server = Dovecot(home, free_port(), free_port(), certificate(tmp_path) if tls else None, program)
    try:
        (home / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        (home / "users").chmod(0o644)
        home.chmod(0o755)
        (home / "mail").mkdir()
        _give(home / "mail")
        (home / "dovecot.conf").write_text(_configuration(server, capability))
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _configuration(server: Dovecot, capability: str | None) -> str:
    me, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    uid, gid = _owner()
    lines = _DOVECOT.format(
        home=server.home,
        uid=uid,
        gid=gid,
        port=server.port,
        tls_port=server.tls_port if server.certificate else 0,
        login_user=_known("dovenull", me),
        internal_user=_known("dovecot", me),
        internal_group=_known("dovecot", group),
    )
    if server.certificate is None:
        lines += "ssl = no\n"
    else:
        lines += f"ssl = yes\nssl_cert = <{server.certificate.chain}\nssl_key = <{server.certificate.key}\n"
    return lines + (f"imap_capability = {capability}\n" if capability else "")


def _owner() -> tuple[int, int]:
    """Whose the mails are: ours, unless we are root, for whom Dovecot opens no mailbox."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _give(path: Path) -> None:
    if os.getuid() == 0:
        os.chown(path, *_owner())


def _known(user: str, me: str) -> str:
    """The user that packages of Dovecot create, if we may become it."""
    try:
        return pwd.getpwnam(user).pw_name if os.getuid() == 0 else me
    except KeyError:
        return me


# --- SMTP ------------------------------------------------------------------------------------------------------------


class Fault(Enum):
    """What a server may do instead of an answer."""

    DROP = "the connection breaks"
    HANG = "no answer comes"


@dataclass(frozen=True)
class Accepted:
    """A mail that the server has answered with 250 (or, with a Fault after the body, has got and not answered)."""

    envelope_from: str
    recipient: str
    raw: bytes


class SmtpServer(Controller):
    """Takes and records every mail, unless ``say`` told it otherwise.

    ``mails`` are those it took; ``seen`` are those of which it also got the body but said something else than 250.
    """

    def __init__(self, security: str, made: Certificate | None, login: bool) -> None:
        self.security, self.made, self.login = security, made, login
        self.mails: list[Accepted] = []
        self.seen: list[Accepted] = []
        self.connections = 0
        self._script: dict[str, list[str | Fault]] = {}
        self._sessions: list[SMTP] = []
        self._news = threading.Condition()
        context = None
        if made is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(made.chain, made.key)
        super().__init__(
            self,
            hostname=HOST,
            port=0,
            ssl_context=context if security == "tls" else None,
            tls_context=context if security == "starttls" else None,
            server_hostname="smtp.test",
            authenticator=_authenticate,
            auth_require_tls=False,
            enable_SMTPUTF8=False,
        )

    def settings(self, **other: object) -> SmtpSettings:
        """Settings that work, unless ``other`` says otherwise."""
        known: dict[str, object] = {"host": HOST, "port": self.port, "security": self.security}
        known["ca_file"] = str(self.made.chain) if self.made else None
        if self.login:
            known |= {"username": USER, "password": PASSWORD}
        return SmtpSettings(**known | other)  # type: ignore[arg-type]

    def say(self, step: str, answer: str | Fault, times: int = 1_000_000) -> None:
        """The answer to ``MAIL``, ``RCPT``, ``RCPT a@b.c``, ``DATA``, or ``BODY`` (after the final dot)."""
        self._script[step] = [answer] * times

    def heal(self) -> None:
        """From now on everything is taken again."""
        self._script.clear()

    def hang_up(self) -> None:
        """Breaks all connections; new ones are taken."""

        async def abort() -> None:
            while self._sessions:
                transport = self._sessions.pop().transport
                if transport is not None:
                    transport.abort()  # type: ignore[attr-defined]

        asyncio.run_coroutine_threadsafe(abort(), self.loop).result(_PATIENCE)

    def wait(self, number: int) -> list[Accepted]:
        """The mails taken, as soon as there are so many."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.mails) >= number, _PATIENCE):
                pytest.fail(f"{number} mails were expected, {len(self.mails)} came")
            return list(self.mails)

    # What aiosmtpd calls, in its thread

    def factory(self) -> SMTP:
        session = _Session(self.handler, **self.SMTP_kwargs)
        self._sessions.append(session)
        self.connections += 1
        return session

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        super()._trigger_server()
        self.connections = 0

    async def answer(self, server: SMTP, *steps: str) -> str | None:
        """What the script says of the first of these steps; None = go on."""
        for step in steps:
            if self._script.get(step):
                answer = self._script[step].pop()
                if answer is Fault.DROP:
                    server.transport.abort()  # type: ignore[union-attr]
                if isinstance(answer, Fault):
                    await asyncio.Event().wait()  # until the connection is gone
                return str(answer)
        return None

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.login and not session.authenticated:
            return "530 5.7.0 Authentication required"
        answer = await self.answer(server, "MAIL")
        if answer is None:
            envelope.mail_from = address
        return answer or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self.answer(server, f"RCPT {address}", "RCPT")
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        raw = envelope.original_content or b""
        sender = (envelope.mail_from or "").removeprefix("<>")  # how aiosmtpd writes the null return path
        mails = [Accepted(sender, recipient, raw) for recipient in envelope.rcpt_tos]
        self.seen += mails
        answer = await self.answer(server, "BODY")
        if answer is None or answer.startswith("250"):
            with self._news:
                self.mails += mails
                self._news.notify_all()
        return answer or "250 OK"


class _Session(SMTP):
    """A session whose answer to DATA itself can be scripted."""

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        answer = await self.event_handler.answer(self, "DATA")
        if answer is None:
            await super().smtp_DATA(arg)
        else:
            await self.push(answer)


def _authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: LoginPassword
) -> AuthResult:
    good = (login.login, login.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False)


@contextmanager
def smtp_server(security: str = "plain", made: Certificate | None = None, login: bool = False) -> Iterator[SmtpServer]:
    """A running SMTP server; with a certificate it speaks TLS as ``security`` says, without one it offers none."""
    server = SmtpServer(security, made, login)
    server.start()
    try:
        yield server
    finally:
        server.hang_up()
        server.stop()
