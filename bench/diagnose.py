"""Time and memory to diagnose a log of 30 MB, compared with ``grep -c status=`` on the same file in the same run.

Times are the best of five. Memory is the peak resident size of a process of its own, minus its size once it has read the
attachment.
"""

import argparse
import gzip
import io
import json
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mailbot.core.desk.log_review import examine
from mailbot.core.logs.diagnosis import FormClaim
from tests.core.logs.test_unpack import raw_zip, zeros
from tests.support.loggen import World

SIZE = 30_000_000
TIMES = 5
START = datetime(2026, 11, 1)  # noqa: DTZ001 - logs have local times
OLD, NEW = "F6E5D4C3B2A1", "A1B2C3D4E5F6"


def general_log() -> bytes:
    """Traffic lines from ``tests/support/loggen.py``, with a licence check every hour."""
    world = World(random.Random(1))  # noqa: S311
    at, parts, size = START, [], 0
    few = [world.traffic(at) for _ in range(5_000)]
    while size < SIZE:
        for entry in few:
            at += timedelta(seconds=4)
            parts.append(entry.text.replace(f"{START:%Y-%m-%d %H:%M:%S}", f"{at:%Y-%m-%d %H:%M:%S}"))
            size += len(parts[-1].encode()) + 1
            if at.minute == 0 and at.second < 4:
                parts.append(check(at))
    return ("\n".join(parts) + "\n").encode()


def licence_log() -> bytes:
    """Only licence checks, all different: two installations that check every second."""
    at, parts, size = START, [], 0
    while size < SIZE:
        at += timedelta(seconds=1)
        parts.append(check(at) if len(parts) % 2 else check(at).replace(NEW, "OTHERTOKEN99"))
        size += len(parts[-1]) + 1
    return ("\n".join(parts) + "\n").encode()


def check(at: datetime) -> str:
    left = 30 - (at - START).days
    return f"[{at:%Y-%m-%d %H:%M:%S}] [WARN] license - [LICENSE:CHECK] token={NEW} previousToken={OLD} status=grace reason=token_change daysLeft={left}"


def zipped(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("logs/app.log", data)
    return made.getvalue()


def measured(path: Path) -> dict[str, float | str]:
    """Measured in this process: best time in seconds, peak memory in MB beyond the attachment, the sentence."""
    data = path.read_bytes()
    held = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    best, sentence = 1e9, ""
    for _ in range(TIMES):
        started = time.perf_counter()
        sentence = examine([(path.name, data)], FormClaim("token_change", OLD, NEW), lambda _: None, None).sentence
        best = min(best, time.perf_counter() - started)
    return {"seconds": best, "peak": memory("VmHWM") - held, "sentence": sentence}


def memory(what: str) -> float:
    """A memory figure of this process from the kernel, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) / 1024


def grep(path: Path) -> float:
    """Best time of ``grep -c status=``, in seconds."""
    best = 1e9
    for _ in range(TIMES):
        started = time.perf_counter()
        subprocess.run(["grep", "-c", "status=", str(path)], stdout=subprocess.PIPE, check=False)
        best = min(best, time.perf_counter() - started)
    return best


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        general = general_log()
        made = {
            "general log": ("general.log", general, len(general)),
            "the same in a zip": ("general.zip", zipped(general), len(general)),
            "licence log": ("licence.log", licence_log(), SIZE),
            "zip of 1 GB of zeros": ("bomb.zip", raw_zip(b"a.log", zeros(1000), 1_000_000_000), 0),
            "the same, declared as 10 bytes": ("liar.zip", raw_zip(b"a.log", zeros(1000), 10), 0),
            "gzip of 1 GB of zeros": ("bomb.gz", gzip.compress(bytes(1_000_000)) * 1000, 0),
        }
        plain = Path(folder) / "plain"
        plain.write_bytes(general)
        beside = grep(plain)
        print(
            f"grep -c status= on the general log, {len(general) / 1e6:.0f} MB: {beside:.3f} s, {len(general) / 1e6 / beside:.0f} MB/s"
        )
        for what, (name, data, size) in made.items():
            path = Path(folder) / name
            path.write_bytes(data)
            run = subprocess.run([sys.executable, __file__, str(path)], capture_output=True, check=True, text=True)
            told = json.loads(run.stdout)
            speed = (
                f", {size / 1e6 / told['seconds']:.0f} MB/s, {told['seconds'] / beside:.0f} times grep" if size else ""
            )
            print(
                f"{what}: {told['seconds']:.3f} s{speed}; {told['peak']:.0f} MB beyond the attachment\n    {told['sentence']}"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, help="measure this log, in this process")
    given = parser.parse_args()
    if given.file:
        print(json.dumps(measured(given.file)))
    else:
        main()
