"""The mailbox, against a real Dovecot: what lies there, its bytes, moving it away, being told of more."""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from imapclient import DELETED

from mailbot.maillog import MailLog
from mailbot.servers import imap
from mailbot.servers.imap import Arrived, ImapError, ImapSettings, Mailbox
from tests.support.servers import ELSEWHERE, HOST, PASSWORD, Dovecot, dovecot, free_port, relayed

pytestmark = pytest.mark.dovecot

MAIL = b"From: anna@example.org\r\nSubject: one\r\n\r\nHello\r\n"


class Log(MailLog):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, object]]] = []

    def _say(self, level: str, event: str, **values: object) -> None:
        self.said.append((event, values))

    def of(self, event: str) -> list[dict[str, object]]:
        return [values for name, values in self.said if name == event]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dovecot]:
    with dovecot(tmp_path_factory.mktemp("dovecot"), tls=True) as server:
        yield server


@pytest.fixture
def server(running: Dovecot) -> Dovecot:
    with running.client() as client:
        for _flags, _delimiter, folder in client.list_folders():
            if folder != "INBOX":
                client.delete_folder(folder)
        client.select_folder("INBOX")
        client.delete_messages(client.search("ALL", charset=None))
        client.expunge()
    return running


@pytest.fixture
def wake() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@contextmanager
def opened(settings: ImapSettings, log: MailLog | None = None) -> Iterator[Mailbox]:
    mailbox = Mailbox.open(settings, log or Log())
    try:
        yield mailbox
    finally:
        mailbox.close()


def fetched(mailbox: Mailbox, uids: Iterable[int], batch: int = 2**20) -> Iterator[Arrived]:
    """The mails, one by one."""
    for mails in mailbox.fetch(uids, batch):
        yield from mails


def later(*work: object) -> threading.Timer:
    """Does it in a moment, in another thread. Only what waits for it can tell how long a moment is."""
    function, *arguments = work
    timer = threading.Timer(0.2, function, arguments)  # type: ignore[arg-type]
    timer.start()
    return timer


# What lies there


def test_an_empty_folder_has_no_uids(server: Dovecot) -> None:
    with opened(server.settings()) as mailbox:
        assert mailbox.uids() == []
        assert list(fetched(mailbox, [])) == []
        assert list(fetched(mailbox, [1, 999_999])) == []


def test_uids_ascend_and_are_not_reused(server: Dovecot) -> None:
    server.append(MAIL)
    server.append(MAIL)
    with opened(server.settings()) as mailbox:
        first, second = mailbox.uids()
        assert first < second
        mailbox.move([first, second], "Done")
        server.append(MAIL)
        (third,) = mailbox.uids()
        assert third > second


def test_uids_of_a_large_folder_are_searched_in_windows(server: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "_SEARCH_WINDOW", 2)
    for _ in range(7):
        server.deliver(MAIL)
    with opened(server.settings()) as mailbox:
        everything = mailbox.uids()
        assert len(everything) == 7
        mailbox.move(everything[2:5], "Done")
        assert mailbox.uids() == everything[:2] + everything[5:]


@pytest.mark.parametrize(
    "raw",
    [
        MAIL,
        b"Subject: x\r\n\r\n" + "Größe: fünf €\r\n".encode(),
        b"Subject: x\r\n\r\n\xff\xfe\x80 no charset at all\r\n",
        b"Subject: )\r\n\r\n) UID 7 BODY[] {3}\r\n* 1 EXPUNGE\r\n",
        b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 20_000,
        b"no header at all\r\n",
    ],
    ids=["plain", "utf-8", "bytes", "imap inside", "large", "headless"],
)
def test_fetched_bytes_are_unchanged(server: Dovecot, raw: bytes) -> None:
    server.append(raw)
    with opened(server.settings()) as mailbox:
        (mail,) = fetched(mailbox, mailbox.uids())
        assert mail.raw == raw
        assert mail.size == len(raw)
        assert mail.whole


def test_a_delivered_mail_has_crlf_line_ends(server: Dovecot) -> None:
    server.deliver(MAIL.replace(b"\r\n", b"\n"))
    with opened(server.settings()) as mailbox:
        assert [mail.raw for mail in fetched(mailbox, mailbox.uids())] == [MAIL]


def test_received_at_is_the_internaldate_in_utc(server: Dovecot) -> None:
    arrival = datetime(2026, 3, 29, 2, 30, 15, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    server.append(MAIL, arrival)
    with opened(server.settings()) as mailbox:
        (mail,) = fetched(mailbox, mailbox.uids())
    assert mail.received_at == arrival
    assert mail.received_at.tzinfo is UTC


def test_uidvalidity_is_read_from_the_folder(server: Dovecot) -> None:
    server.append(MAIL)
    with server.client() as client:
        expected = client.folder_status("INBOX", ["UIDVALIDITY"])[b"UIDVALIDITY"]
    with opened(server.settings()) as mailbox:
        (mail,) = fetched(mailbox, mailbox.uids())
        assert mail.uidvalidity == mailbox.uidvalidity == expected


def test_a_recreated_folder_has_another_uidvalidity(server: Dovecot) -> None:
    settings = server.settings(folder="Requests")
    with opened(settings) as mailbox:
        before = mailbox.uidvalidity
    with server.client() as client:
        client.delete_folder("Requests")
        # Dovecot counts in seconds, but never gives the same twice.
        client.create_folder("Requests")
    with opened(settings) as mailbox:
        assert mailbox.uidvalidity != before


def test_fetching_does_not_mark_mails_as_seen(server: Dovecot) -> None:
    server.append(MAIL)
    with opened(server.settings()) as mailbox:
        list(fetched(mailbox, mailbox.uids()))
    with server.client("INBOX") as client:
        (flags,) = client.get_flags(client.search("ALL", charset=None)).values()
        assert b"\\Seen" not in flags


def test_mails_are_fetched_in_order_in_batches_of_limited_size(server: Dovecot) -> None:
    raws = [b"Subject: %d\r\n\r\n" % number + b"x" * 300 + b"\r\n" for number in range(9)]
    for raw in raws:
        server.append(raw)
    with opened(server.settings()) as mailbox:
        uids = mailbox.uids()
        arriving = fetched(mailbox, reversed(uids), batch=1000)
        first = next(arriving)
        mailbox.move(uids[:3], "Done")  # what was not fetched yet is gone
        assert [first.raw, *(mail.raw for mail in arriving)] == raws[:2:-1]


def test_only_the_header_of_an_oversized_mail_is_fetched(server: Dovecot) -> None:
    large = b"Subject: large\r\nFrom: anna@example.org\r\n\r\n" + b"0123456789\r\n" * 1000
    server.append(MAIL)
    server.append(large)
    server.append(MAIL)
    with opened(server.settings(max_bytes=len(large) - 1)) as mailbox:
        small, header, other = fetched(mailbox, mailbox.uids())
    assert small.whole
    assert other.whole
    assert not header.whole
    assert header.raw == b"Subject: large\r\nFrom: anna@example.org\r\n\r\n"
    assert header.size == len(large)


def test_a_mail_of_exactly_the_limit_is_fetched_whole(server: Dovecot) -> None:
    server.append(MAIL)
    with opened(server.settings(max_bytes=len(MAIL))) as mailbox:
        (mail,) = fetched(mailbox, mailbox.uids())
        assert mail.whole


def test_the_header_of_an_oversized_mail_is_cut_at_256_kib(server: Dovecot) -> None:
    server.append(b"Subject: x\r\n" + b"X-Filler: 0123456789\r\n" * 30_000 + b"\r\nbody\r\n")
    with opened(server.settings(max_bytes=300_000)) as mailbox:
        (mail,) = fetched(mailbox, mailbox.uids())
        assert not mail.whole
        assert len(mail.raw) == 256 * 1024


def test_a_mail_deleted_by_another_client_is_left_out(server: Dovecot) -> None:
    log = Log()
    for number in range(4):
        server.append(b"Subject: %d\r\n\r\n" % number)
    with opened(server.settings(), log) as mailbox, server.client("INBOX") as other:
        uids = mailbox.uids()
        other.delete_messages([uids[1]])
        other.uid_expunge([uids[1]])
        assert [mail.uid for mail in fetched(mailbox, uids)] == [uids[0], uids[2], uids[3]]
        assert mailbox.uids() == [uids[0], uids[2], uids[3]]
        other.delete_messages(uids)
        other.expunge()
        assert list(fetched(mailbox, uids)) == []
    assert log.of("alert") == []


def test_a_mail_that_the_server_cannot_read_does_not_block_others(server: Dovecot) -> None:
    """Dovecot breaks the connection over it, every time."""
    log = Log()
    for number in range(4):
        server.append(b"Subject: %d\r\n\r\n" % number)
    with opened(server.settings(), log) as mailbox:
        uids = mailbox.uids()
        stored = (server.home / "mail" / "Maildir" / "cur").iterdir()
        (broken,) = (file for file in stored if b"Subject: 1" in file.read_bytes())
        broken.chmod(0)
        assert [mail.uid for mail in fetched(mailbox, uids)] == [uids[0], *uids[2:]]
        assert [mail.uid for mail in fetched(mailbox, uids)] == [uids[0], *uids[2:]]
        mailbox.move(uids[2:], "Done")
        assert mailbox.uids() == uids[:2]
    (alert,) = log.of("alert")
    assert f"UID {uids[1]} " in str(alert["text"])


# Moving away

CAPABILITIES = {
    "MOVE": "IMAP4rev1 MOVE UIDPLUS IDLE",
    "UIDPLUS": "IMAP4rev1 UIDPLUS",
    "neither": "IMAP4rev1",
}


@pytest.mark.parametrize("capability", CAPABILITIES.values(), ids=CAPABILITIES.keys())
def test_a_move_can_be_repeated(tmp_path: Path, capability: str) -> None:
    with dovecot(tmp_path, capability=capability) as server:
        for number in range(4):
            server.append(b"Subject: %d\r\n\r\n" % number)
        with opened(server.settings()) as mailbox:
            zero, one, two, three = mailbox.uids()
            mailbox.move([zero, two], "Done")
            mailbox.move([zero, two], "Done")
            mailbox.move([two, three, 999_999], "Quarantine")
            mailbox.move([], "Done")
            assert mailbox.uids() == [one]
        assert server.mails("Done") == [b"Subject: 0\r\n\r\n", b"Subject: 2\r\n\r\n"]
        assert server.mails("Quarantine") == [b"Subject: 3\r\n\r\n"]


@pytest.mark.parametrize("capability", CAPABILITIES.values(), ids=CAPABILITIES.keys())
def test_a_move_does_not_expunge_mails_deleted_by_others(tmp_path: Path, capability: str) -> None:
    with dovecot(tmp_path, capability=capability) as server:
        server.append(b"Subject: theirs\r\n\r\n")
        server.append(b"Subject: ours\r\n\r\n")
        with opened(server.settings()) as mailbox, server.client("INBOX") as other:
            theirs, ours = mailbox.uids()
            other.add_flags([theirs], DELETED)
            mailbox.move([ours], "Done")
            assert mailbox.uids() == [theirs]
            other.noop()
            assert DELETED in other.get_flags([theirs])[theirs]


def test_a_moved_mail_keeps_its_bytes_and_its_date(server: Dovecot) -> None:
    arrival = datetime(2020, 2, 29, 12, tzinfo=UTC)
    server.append(MAIL, arrival)
    with opened(server.settings()) as mailbox:
        mailbox.move(mailbox.uids(), "Done")
    with opened(server.settings(folder="Done", done_folder="Elsewhere")) as mailbox:
        (mail,) = fetched(mailbox, mailbox.uids())
        assert (mail.raw, mail.received_at) == (MAIL, arrival)


def test_many_mails_are_moved_in_batches(server: Dovecot) -> None:
    for _ in range(205):
        server.deliver(MAIL)
    with opened(server.settings()) as mailbox:
        mailbox.move(mailbox.uids(), "Done")
        assert mailbox.uids() == []
    assert len(server.mails("Done")) == 205


def test_a_deleted_target_folder_is_created_again(server: Dovecot) -> None:
    server.append(MAIL)
    with opened(server.settings()) as mailbox, server.client() as other:
        other.delete_folder("Done")
        mailbox.move(mailbox.uids(), "Done")
    assert server.mails("Done") == [MAIL]


@pytest.mark.parametrize("folder", ["Done", "Erledigt & weg", "Größe été", 'quo"ted', "100%"])
def test_missing_folders_are_created(server: Dovecot, folder: str) -> None:
    server.append(MAIL)
    for _ in range(2):
        with opened(server.settings(done_folder=folder)) as mailbox:
            mailbox.move(mailbox.uids(), folder)
    with server.client() as client:
        assert folder in [name for _, _, name in client.list_folders()]
        assert folder in [name for _, _, name in client.list_sub_folders()]
    assert server.mails(folder) == [MAIL]


def test_creating_the_watched_folder_is_logged_differently(server: Dovecot) -> None:
    log = Log()
    for _ in range(2):
        with opened(server.settings(folder="Lisences", done_folder="Away"), log):
            pass
    made = [(said["folder"], said["watched"]) for said in log.of("folder created")]
    assert made[:2] == [("Lisences", True), ("Away", False)]
    assert len(made) == len(set(made))


# Being told of more


def test_new_mail_ends_the_wait(server: Dovecot, wake: tuple[socket.socket, socket.socket]) -> None:
    log = Log()
    server.append(MAIL)
    with opened(server.settings(), log) as mailbox:
        assert mailbox.supports_idle
        assert len(mailbox.uids()) == 1
        delivery = later(server.deliver, MAIL)
        assert mailbox.wait(60, wake[0])
        delivery.join()
        assert len(mailbox.uids()) == 2
    assert log.of("noticed") == [{"count": 2}]
    assert log.of("idle") == [{"seconds": 60}]


def test_new_mail_ends_the_wait_over_tls(server: Dovecot, wake: tuple[socket.socket, socket.socket]) -> None:
    with opened(server.settings("tls")) as mailbox:
        mailbox.uids()
        for number in range(1, 4):
            delivery = later(server.deliver, MAIL)
            while len(mailbox.uids()) < number:
                mailbox.wait(60, wake[0])
            delivery.join()


def test_mail_announced_during_another_command_ends_the_wait(
    server: Dovecot, wake: tuple[socket.socket, socket.socket]
) -> None:
    """The server tells once, be it with the answer to a move; nobody would tell again."""
    server.append(MAIL)
    with opened(server.settings()) as mailbox:
        listed = mailbox.uids()
        server.append(MAIL)
        list(fetched(mailbox, listed))
        mailbox.move(listed, "Done")
        assert mailbox.wait(60, wake[0])
        assert len(mailbox.uids()) == 1
        assert not mailbox.wait(0.05, wake[0])


def test_the_wake_socket_ends_the_wait(server: Dovecot, wake: tuple[socket.socket, socket.socket]) -> None:
    with opened(server.settings()) as mailbox:
        mailbox.uids()
        caller = later(wake[1].send, b"!")
        assert mailbox.wait(60, wake[0])
        caller.join()
        assert mailbox.wait(60, wake[0].fileno())  # it is ours to read it
        wake[0].recv(1)
        assert not mailbox.wait(0.05, wake[0])


def test_an_announcement_in_the_packet_of_the_idle_answer_ends_the_wait(
    wake: tuple[socket.socket, socket.socket],
) -> None:
    """They lie in a buffer of ours then, and no selector sees them; this server does not wait for us for ever."""
    answers = {
        b"CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE\r\n",
        b"LIST": b'* LIST () "/" "any"\r\n',
        b"SELECT": b"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 9] ok\r\n",
        b"UID": b"* SEARCH 3 8\r\n",
        b"IDLE": b"+ idling\r\n* 3 EXISTS\r\n",
    }
    with socket.create_server((HOST, 0)) as other:
        answering = threading.Thread(target=_answer, args=(other, answers))
        answering.start()
        with opened(ImapSettings(HOST, other.getsockname()[1], "plain", "desk", PASSWORD, 1000)) as mailbox:
            assert mailbox.uids() == [3, 8]
            assert mailbox.uidvalidity == 7
            assert mailbox.wait(300, wake[0])
        answering.join()


def _answer(listener: socket.socket, answers: dict[bytes, bytes]) -> None:
    """A server that knows one answer to each command."""
    client, _ = listener.accept()
    client.settimeout(20)
    with client, client.makefile("rb") as lines:
        client.sendall(b"* OK hello\r\n")
        idle = b""
        for line in lines:
            tag, _, command = line.strip().partition(b" ")
            word = command.split(b" ")[0].upper()
            if word == b"IDLE":
                idle = tag
                client.sendall(answers[word])
            elif word == b"LOGOUT":
                client.sendall(b"* BYE\r\n" + tag + b" OK\r\n")
                return
            else:
                client.sendall(answers.get(word, b"") + (idle if tag == b"DONE" else tag) + b" OK done\r\n")


def test_the_wait_ends_without_new_mail(server: Dovecot, wake: tuple[socket.socket, socket.socket]) -> None:
    log = Log()
    with opened(server.settings(), log) as mailbox:
        mailbox.uids()
        assert not mailbox.wait(0.05, wake[0])
        assert not mailbox.wait(-1, wake[0])
        assert mailbox.uids() == []
    assert log.of("noticed") == []


def test_without_idle_the_wait_lasts_poll_seconds(tmp_path: Path, wake: tuple[socket.socket, socket.socket]) -> None:
    log = Log()
    with (
        dovecot(tmp_path, capability="IMAP4rev1") as server,
        opened(server.settings(poll_seconds=0.05), log) as mailbox,
    ):
        assert not mailbox.supports_idle
        assert mailbox.uids() == []
        server.append(MAIL)
        assert not mailbox.wait(60, wake[0])
        assert len(mailbox.uids()) == 1
        wake[1].send(b"!")
        assert mailbox.wait(60, wake[0])
    assert {said["seconds"] for said in log.of("idle")} == {0.05}


# When things break


def test_the_mailbox_can_be_opened_again_after_a_server_restart(
    tmp_path: Path, wake: tuple[socket.socket, socket.socket]
) -> None:
    log = Log()
    with dovecot(tmp_path) as server:
        server.append(MAIL)
        mailbox = Mailbox.open(server.settings(), log)
        uids = mailbox.uids()
        killer = later(server.stop)
        with pytest.raises(ImapError, match="while waiting"):
            _wait_for_ever(mailbox, wake[0])
        killer.join()
        for work in (
            mailbox.uids,
            lambda: mailbox.move(uids, "Done"),
            mailbox.check,
            lambda: list(fetched(mailbox, uids)),
        ):
            with pytest.raises(ImapError):
                work()
        mailbox.shutdown("once more does no harm")
        mailbox.close()
        with pytest.raises(ImapError, match=f"cannot connect to {HOST}"):
            Mailbox.open(server.settings(), log)
        server.start()
        with opened(server.settings(), log) as mailbox:
            assert [mail.raw for mail in fetched(mailbox, mailbox.uids())] == [MAIL]
    assert len(log.of("connected")) == 2
    (broken,) = log.of("connection lost")
    assert "cannot fetch mails" in str(broken["why"])
    assert len(log.of("disconnected")) == 1


def _wait_for_ever(mailbox: Mailbox, wake: socket.socket) -> None:
    while True:
        mailbox.wait(60, wake)


def test_imap_with_a_wrong_password(server: Dovecot) -> None:
    with pytest.raises(ImapError, match=r"rejects the login of 'desk': .*[Aa]uthentication failed") as caught:
        Mailbox.open(server.settings(password="wrong"), Log())
    assert "wrong" not in str(caught.value)
    assert "b'" not in str(caught.value)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_imap_with_a_trusted_certificate(server: Dovecot, security: str) -> None:
    with opened(server.settings(security)) as mailbox:
        assert mailbox.uids() == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_imap_with_an_untrusted_certificate(server: Dovecot, security: str) -> None:
    with pytest.raises(ImapError, match=r"certificate is not valid: self-signed.*SSL_CERT_FILE"):
        Mailbox.open(server.settings(security, ca_file=None), Log())


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_imap_with_a_certificate_for_another_name(server: Dovecot, security: str) -> None:
    with relayed(server.settings(security).port) as port, pytest.raises(ImapError, match="certificate is not valid"):
        Mailbox.open(server.settings(security, host=ELSEWHERE, port=port), Log())


def test_imap_without_starttls_gets_no_password(tmp_path: Path) -> None:
    with dovecot(tmp_path) as server:
        with pytest.raises(ImapError, match="does not offer STARTTLS"):
            Mailbox.open(server.settings("starttls"), Log())
        assert "Login:" not in server.log


@pytest.mark.parametrize("host", ["imap.example.com", "192.0.2.1", "localhost.example.com"])
def test_imap_plain_text_to_another_machine_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="unencrypted"):
        Mailbox.open(ImapSettings(host, 143, "plain", "desk", PASSWORD, 1000), Log())


def test_imap_without_a_server() -> None:
    with pytest.raises(ImapError, match="Connection refused"):
        Mailbox.open(ImapSettings(HOST, free_port(), "plain", "desk", PASSWORD, 1000), Log())


def test_imap_on_a_port_of_another_protocol() -> None:
    with socket.create_server((HOST, 0)) as other:
        answering = threading.Thread(target=_greet, args=(other, b"220 smtp.test ESMTP\r\n"))
        answering.start()
        with pytest.raises(ImapError, match="cannot connect"):
            Mailbox.open(ImapSettings(HOST, other.getsockname()[1], "plain", "desk", PASSWORD, 1000), Log())
        answering.join()


def test_imap_tls_on_a_starttls_port(server: Dovecot) -> None:
    with pytest.raises(ImapError, match=r"no TLS on this port: use another port, or security = 'starttls'$"):
        Mailbox.open(server.settings("tls", port=server.port), Log())


def test_imap_preauth_does_not_bypass_starttls() -> None:
    """A PREAUTH greeting would take us past STARTTLS (CVE-2020-14093 and its like)."""
    with socket.create_server((HOST, 0)) as other:
        greeting = b"* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] welcome\r\n"
        answering = threading.Thread(target=_greet, args=(other, greeting))
        answering.start()
        with pytest.raises(ImapError, match="no TLS connection"):
            Mailbox.open(ImapSettings(HOST, other.getsockname()[1], "starttls", "desk", PASSWORD, 1000), Log())
        answering.join()


def _greet(listener: socket.socket, greeting: bytes) -> None:
    client, _ = listener.accept()
    with client:
        client.sendall(greeting)
        while line := client.recv(1000):
            assert PASSWORD.encode() not in line
            tag = line.split()[0]
            if b"CAPABILITY" in line:
                client.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\r\n")
            client.sendall(tag + b" OK done\r\n")


def test_check_reports_capabilities_and_folders(server: Dovecot) -> None:
    server.append(MAIL)
    with opened(server.settings("starttls")) as mailbox:
        assert mailbox.check() == [
            f"{HOST}:{server.port} (starttls), logged in as desk",
            "IDLE: yes",
            "MOVE: yes",
            "UIDPLUS: yes",
            "folder INBOX: 1 mail",
            "folder Done: 0 mails",
            "folder Quarantine: 0 mails",
        ]


def test_check_reports_missing_capabilities(tmp_path: Path) -> None:
    with dovecot(tmp_path, capability="IMAP4rev1") as server, opened(server.settings()) as mailbox:
        assert "MOVE: no, so mails are copied and then deleted" in mailbox.check()
