"""Time from the IMAP server's announcement of a mail to the answer: a running desk on a real Dovecot, with another client in IDLE as the clock."""

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.service.test_run import FORM, configured
from tests.support import servers

MAILS = 20


class Watching(threading.Thread):
    """Another client in IDLE, which records when the server announces each mail."""

    def __init__(self, imap: servers.Dovecot) -> None:
        super().__init__(daemon=True)
        self.imap, self.notices, self.ready, self.over = imap, [], threading.Event(), False

    def run(self) -> None:
        with self.imap.client("INBOX") as client:
            client.idle()
            self.ready.set()
            while not self.over:
                if any(what == b"RECENT" or what == b"EXISTS" for _, what, *_ in client.idle_check(timeout=1)):
                    self.notices.append(time.monotonic())
            client.idle_done()


def main() -> None:
    """Send one mail after the other and print the waits."""
    with tempfile.TemporaryDirectory() as name, servers.dovecot(Path(name)) as imap, servers.smtp_server() as smtp:
        config = configured(Path(name), imap, smtp)
        desk = subprocess.Popen([sys.executable, "-m", "mailbot", "run", "-c", str(config)], stderr=subprocess.DEVNULL)
        watching = Watching(imap)
        try:
            imap.deliver(FORM % ((0,) * 4))
            smtp.wait(2)
            watching.start()
            watching.ready.wait(10)
            print(f"{MAILS} mails, one after the other", flush=True)
            waits = [one(number, imap, smtp, watching) for number in range(1, MAILS + 1)]
        finally:
            watching.over = True
            watching.join(10)
            desk.terminate()
            desk.wait(30)
    print(f"{MAILS} mails; from the server's notice to the answer at the SMTP server:")
    print(
        f"  median {statistics.median(waits):.3f} s, longest {max(waits):.3f} s, within 1 s: {sum(w < 1 for w in waits)}"
    )


def one(number: int, imap: servers.Dovecot, smtp: servers.SmtpServer, watching: Watching) -> float:
    """Seconds from the announcement of this mail to its first answer; 0 if the announcement came later or never."""
    before = len(watching.notices)
    imap.deliver(FORM % ((number,) * 4))
    wanted = f"joe{number}@acme.example"
    while not any(mail.recipient == wanted for mail in smtp.mails):
        time.sleep(0.002)
    answered = time.monotonic()
    # Dovecot delays announcements by half a second; a mail that is moved by then is never announced to the other client.
    while len(watching.notices) == before and time.monotonic() < answered + 2:
        time.sleep(0.002)
    noticed = watching.notices[before] if len(watching.notices) > before else answered
    smtp.wait(2 * (number + 1))
    while imap.mails("INBOX"):
        time.sleep(0.05)
    time.sleep(0.6)  # until the removal of the mail is announced too
    del watching.notices[:]
    return max(answered - noticed, 0.0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given = parser.parse_args()
    main()
