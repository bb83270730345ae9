"""Throughput of `mailbot run --once` on a mailbox of demo activations, with a real Dovecot and an SMTP server.

    python bench/activations.py [NUMBER]

Baselines in the same run: a durable SQLite commit per mail; fetching and moving the mails by IMAPClient alone; and, for
CPU time, reading each mail and writing two answers with the standard library alone. Compare the ratios between machines.
"""

import argparse
import asyncio
import email
import email.policy
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from email.message import EmailMessage
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support import servers
from tests.support.running import CONFIG

MAIL = (
    "Authentication-Results: mx.vendor.example; dmarc=pass header.from=c{n}.example\r\n"
    "From: Joe <joe@c{n}.example>\r\nTo: desk@vendor.example\r\nSubject: demo\r\nMessage-ID: <{n}@c{n}.example>\r\n\r\n"
    "Request: activate\r\nLicense token: A1B2C3D4E{n:05}\r\nCustomer name: Customer {n}\r\n"
    "I accept the License Agreement: yes\r\n30 days free demo: yes\r\n"
)


class Sink:
    """An SMTP server in its own thread that accepts everything as fast as it can."""

    def __init__(self) -> None:
        self.taken = 0
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        ready.wait()

    def _run(self, ready: threading.Event) -> None:
        server = self.loop.run_until_complete(asyncio.start_server(self._talk, "127.0.0.1", 0, limit=2**24))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            word = line[:4].upper().strip()
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                self.taken += 1
            writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                break
        writer.close()


def committed(folder: Path, mails: list[bytes]) -> float:
    """Seconds to store each mail in a durable commit of its own."""
    database = sqlite3.connect(folder / "baseline.db", isolation_level=None)
    database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE raw (data BLOB)")
    begun = time.perf_counter()
    for mail in mails:
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO raw VALUES (?)", (mail,))
        database.execute("COMMIT")
    spent = time.perf_counter() - begun
    database.close()
    return spent


def fetched_and_moved(imap: servers.Dovecot) -> float:
    """Seconds to fetch every mail in INBOX and move it away; afterwards the mails are moved back."""
    with imap.client("INBOX") as client:
        begun = time.perf_counter()
        uids = client.search("ALL")
        for start in range(0, len(uids), 50):
            client.fetch(uids[start : start + 50], ["BODY.PEEK[]", "INTERNALDATE", "RFC822.SIZE"])
        client.create_folder("Baseline")
        client.move(uids, "Baseline")
        spent = time.perf_counter() - begun
        client.select_folder("Baseline")
        client.move(client.search("ALL"), "INBOX")
    return spent


def read_and_answered(mails: list[bytes]) -> float:
    """CPU seconds to read each mail and write two answers with text and HTML, with the standard library."""
    begun = time.process_time()
    for raw in mails:
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        assert mail.get_content()
        for subject in ("done", "plugins"):
            answer = EmailMessage()
            answer["From"], answer["To"], answer["Subject"] = "desk@vendor.example", mail["From"], subject
            answer.set_content("done\n" * 30)
            answer.add_alternative("<p>done</p>\n" * 30, subtype="html")
            answer.as_bytes()
    return time.process_time() - begun


def say(what: str) -> None:
    print(what, flush=True)


def configuration(folder: Path, imap: servers.Dovecot, smtp_port: int) -> Path:
    settings = imap.settings()
    login = f'username = "{settings.username}"\npassword = "{settings.password}"\nport = {settings.port}'
    text = CONFIG.format(folder=folder / "var").replace('username = "desk"\npassword = "desk"', login)
    path = folder / "mailbot.toml"
    path.write_text(text.replace('[smtp]\nhost = "127.0.0.1"\n', f'[smtp]\nhost = "127.0.0.1"\nport = {smtp_port}\n'))
    return path


def run_once(config: Path) -> tuple[float, resource.struct_rusage]:
    """Seconds of the whole process, and the resources used by all child processes so far."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "mailbot", "run", "--once", "-c", str(config)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)


def main(number: int) -> None:
    sink = Sink()
    mails = [MAIL.format(n=n).encode() for n in range(number)]
    with tempfile.TemporaryDirectory() as name, servers.dovecot(Path(name)) as imap:
        folder = Path(name)
        config = configuration(folder, imap, sink.port)
        empty, before = run_once(config)
        say(f"{number} mails are put into the mailbox")
        for mail in mails:
            imap.append(mail)
        commits, moves, mere = committed(folder, mails), fetched_and_moved(imap), read_and_answered(mails)
        say("the desk handles them")
        spent, after = run_once(config)
        assert (len(imap.mails("Done")), sink.taken) == (number, 2 * number)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{number} activations, {sink.taken} answers: {spent:.1f} s, {number / spent:.1f} mails/s")
    print(
        f"CPU of mailbot {cpu:.1f} s ({cpu / number * 1000:.1f} ms a mail), peak memory {after.ru_maxrss / 1024:.0f} MB"
    )
    print(f"start and end of a run with nothing to do: {empty:.1f} s")
    print(f"baseline: {commits:.2f} s for as many durable commits, {moves:.2f} s to fetch and move by IMAPClient alone")
    print(
        f"          {mere / number * 1000:.1f} ms of CPU to read a mail and write two answers with the standard library alone"
    )
    print(
        f"ratios: time to commits and moves {(spent - empty) / (commits + moves):.1f}, CPU to reading and writing {cpu / mere:.1f}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("number", nargs="?", type=int, default=500, help="how many mails")
    given = parser.parse_args()
    main(given.number)
