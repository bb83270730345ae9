"""Attachments to log texts: by content, as streams, under caps; whatever the bytes are."""

import gzip
import io
import stat
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.logs import unpack
from mailbot.core.logs.unpack import Unreadable, open_logs

LINE = "[2026-11-03 08:15:00] [INFO] motion - Grüße\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def _gz(data: bytes, *args: int) -> bytes:
    """Packed without the time of day, so that every worker names its tests alike."""
    return gzip.compress(data, *args, mtime=0)


def zipped(*files: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as made:
        for name, data in files:
            made.writestr(name, data)
    return packed.getvalue()


def raw_zip(name: bytes, packed: bytes, declared: int, flags: int = 0) -> bytes:
    """A zip of one deflated member whose declared size need not be true."""
    common = struct.pack("<HHHHHIIIHH", 20, flags, 8, 0, 33, 0, len(packed), declared, len(name), 0)
    local = b"PK\x03\x04" + common + name + packed
    central = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def zeros(megabytes: int) -> bytes:
    """A raw deflate stream of so many zeros, made of one packed megabyte over and over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    megabyte = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    return megabyte * megabytes + packer.flush()


def lines(*attachments: tuple[str, bytes]) -> dict[str, list[str]]:
    logs, _ = open_logs(attachments)
    return {log.name: list(log.lines()) for log in logs}


def unread(*attachments: tuple[str, bytes]) -> list[tuple[str, str]]:
    logs, unreadable = open_logs(attachments)
    assert logs == ()
    return [(file.name, file.why) for file in unreadable]


@pytest.mark.parametrize(
    "data",
    [
        LINE.encode(),
        LINE.encode("utf-8-sig"),
        LINE.encode("utf-16"),
        LINE.encode("utf-16-le"),
        LINE.encode("utf-16-be"),
        LINE.encode("latin-1"),
        LINE.replace("\n", "\r\n").encode(),
        LINE.replace("\n", "\r").encode(),
        LINE.rstrip("\n").encode(),
        LINE.replace("motion", "mo\0tion\0\0").encode(),
        _gz(LINE.encode()),
        _gz(LINE[:20].encode()) + _gz(LINE[20:].encode()) + bytes(512),
    ],
)
@pytest.mark.parametrize("name", ["app.log", "picture.png", ""])
def test_a_text_is_read_by_its_content_in_any_encoding(name: str, data: bytes) -> None:
    assert lines((name, data)) == {name or "attachment": [LINE.strip()]}


def test_lines_are_counted_across_chunks() -> None:
    text = "".join(f"line {number} é\r\n" for number in range(20_000))
    assert lines(("a.log", text.encode()))["a.log"] == text.split("\r\n")[:-1]
    assert lines(("a.log", text.encode("utf-16-le")))["a.log"] == text.split("\r\n")[:-1]


def test_a_line_that_is_not_utf8_does_not_spoil_its_neighbours() -> None:
    assert lines(("a.log", b"caf\xc3\xa9\ncaf\xe9\ncaf\xc3\xa9\n")) == {"a.log": ["café", "café", "café"]}


def test_a_line_without_end_is_cut_and_the_next_one_is_read() -> None:
    first, second = lines(("a.log", b"x" * 1_000_000 + b"\nnext"))["a.log"]
    assert len(first) == 65_536
    assert second == "next"


def test_zeros_before_the_first_line_are_passed_over() -> None:
    assert lines(("a.log", bytes(200_000) + b"line\n"))["a.log"] == ["line"]


def test_the_texts_of_a_zip_are_named_by_their_path() -> None:
    packed = zipped(
        ("logs/", b""), ("logs/a.log", b"a\n"), ("logs/old/b.log", b"b\n"), ("__MACOSX/logs/._a.log", b"\0")
    )
    assert lines(("logs.zip", packed)) == {"logs.zip/logs/a.log": ["a"], "logs.zip/logs/old/b.log": ["b"]}
    assert open_logs([("logs.zip", packed)])[1] == ()


def test_a_text_can_be_read_more_than_once() -> None:
    (log,), _ = open_logs([("a.zip", zipped(("a.log", b"a\nb\n")))])
    assert list(log.lines()) == list(log.lines()) == ["a", "b"]


def test_pictures_signatures_and_cards_are_neither_logs_nor_unreadable() -> None:
    signature = b"\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" + bytes(80)
    given = [
        ("logo.png", PNG),
        ("photo", b"\xff\xd8\xff\xe0abc"),
        ("smime.p7s", signature),
        ("me.vcf", b"BEGIN:VCARD\n"),
    ]
    assert open_logs(given) == ((), ())


def test_a_picture_with_the_name_of_a_log_and_an_archive_without_logs_are_told() -> None:
    assert unread(("app.log", PNG)) == [("app.log", "it is a picture, not a log")]
    assert unread(("all.zip", zipped(("logo.png", PNG)))) == [("all.zip", unpack.NO_LOG)]
    assert unread(("all.zip", zipped(("app.log", PNG)))) == [("all.zip/app.log", "it is a picture, not a log")]


def test_equal_names_are_told_apart() -> None:
    assert lines(("a.log", b"1\n"), ("a.log", b"2\n")) == {"a.log": ["1"], "a.log (2)": ["2"]}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_that_holds_a_name_twice_is_told_and_its_first_file_read() -> None:
    logs, unreadable = open_logs([("a.zip", zipped(("a.log", b"1\n"), ("a.log", b"2\n")))])
    assert [list(log.lines()) for log in logs] == [["1"]]
    assert unreadable == (Unreadable("a.zip/a.log", unpack.TWICE, 0),)


@pytest.mark.parametrize(
    ("data", "instead"),
    [
        (raw_zip(b"a.log", b"secret bytes", 5, flags=1), "the log without a password"),
        (zipped(("b.zip", zipped(("a.log", b"a")))), "the log files in one .zip, not an archive inside another"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "the log as a .zip or .gz, or uncompressed"),
        (b"%PDF-1.7\n", "the log itself as a text file (.log, .txt or .json), also in a .zip or .gz"),
    ],
)
def test_each_refusal_knows_what_to_send_instead(data: bytes, instead: str) -> None:
    (file,) = open_logs([("a.zip", data)])[1]
    assert file.instead == instead


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"MZ\x90\0\x03\0\0\0", "it is a program"),
        (b"\x7fELF\x02\x01", "it is a program"),
        (b"#!/bin/sh\nrm -rf /\n", "it is a program"),
        (b"%PDF-1.7\n", "it is a document, not a log"),
        (zipped(("[Content_Types].xml", b"<a/>"), ("word/document.xml", b"<a/>")), "it is a document, not a log"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "this kind of archive is not supported, only .zip and .gz"),
        (
            b"a.log" + bytes(252) + b"ustar\x0000" + bytes(247),
            "this kind of archive is not supported, only .zip and .gz",
        ),
        (b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n", "it is encrypted"),
        (bytes(range(256)) * 4, "it is not text"),
        (b"", "it is empty"),
        (b" \r\n\0\0", "it is empty"),
        (_gz(b""), "it is empty"),
        (zipped(), "it is empty"),
        (_gz(LINE.encode())[:10], "it is damaged"),
        (zipped(("a.log", b"a"))[:-5], "it is damaged"),
    ],
)
def test_what_is_no_text_is_named_with_the_reason(data: bytes, why: str) -> None:
    assert unread(("app.log", data)) == [("app.log", why)]


def test_a_good_file_is_read_beside_a_bad_one() -> None:
    logs, unreadable = open_logs([("a.log", b"line\n"), ("b.log", b"%PDF-1.7\n")])
    assert [log.name for log in logs] == ["a.log"]
    assert unreadable == (Unreadable("b.log", "it is a document, not a log", 1),)


def test_a_torn_gzip_is_read_as_far_as_it_goes_and_marked() -> None:
    text = b"".join(b"line %d %d\n" % (number, number * 7919) for number in range(50_000))
    (log,), unreadable = open_logs([("a.log.gz", _gz(text)[:-20_000])])
    assert log.torn
    assert unreadable == ()
    read = list(log.lines())
    assert read[:-1] == text.decode().split("\n")[: len(read) - 1]
    assert len(read) > 1_000


def test_an_archive_inside_an_archive_is_not_opened() -> None:
    inner = zipped(("a.log", b"a"))
    assert unread(("a.zip", zipped(("b.zip", inner)))) == [("a.zip/b.zip", unpack.NESTED)]
    assert unread(("a.zip", zipped(("b.gz", _gz(inner))))) == [("a.zip/b.gz", unpack.NESTED)]
    assert unread(("a.zip", zipped(("b.gz", _gz(_gz(b"a")))))) == [("a.zip/b.gz", unpack.NESTED)]
    assert unread(("a.gz", _gz(inner))) == [("a.gz", unpack.NESTED)]


def test_what_log_rotation_has_packed_is_read_in_a_zip_under_the_same_caps() -> None:
    packed = zipped(("log/a.log", b"2\n"), ("log/a.log.1.gz", _gz(b"1\n")))
    assert lines(("a.zip", packed)) == {"a.zip/log/a.log": ["2"], "a.zip/log/a.log.1.gz": ["1"]}
    assert unread(("a.zip", zipped(("a.gz", _gz(bytes(1_000_000)) * 500)))) == [("a.zip", unpack.BOMB)]


def test_names_that_lead_out_are_not_read_and_are_told_once() -> None:
    """A link leads out too, whatever its name."""
    link = zipfile.ZipInfo("link.log")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    names = ["../../etc/a.log", "/etc/a.log", "..\\a.log", "C:\\a.log", "a/../../b.log", link]
    logs, unreadable = open_logs([("a.zip", zipped(("good.log", b"good\n"), *((name, b"x\n") for name in names)))])
    assert [log.name for log in logs] == ["a.zip/good.log"]
    assert unreadable == (Unreadable("a.zip/../../etc/a.log and 5 more", unpack.OUTSIDE, 0),)


def test_a_name_is_only_a_label() -> None:
    (name,) = lines(("a\r\nBcc: x\x1b[31m\u202e" + "y" * 300 + ".log", b"line\n"))
    assert len(name) == 150
    assert name.endswith(".log")
    assert name.isprintable()


def test_an_encrypted_member_is_named() -> None:
    assert unread(("a.zip", raw_zip(b"a.log", b"secret bytes", 5, flags=1))) == [("a.zip/a.log", "it is encrypted")]


def test_foreign_packings_are_not_tried() -> None:
    packed = zipped(("a.log", b"a" * 100), compression=zipfile.ZIP_LZMA)
    assert unread(("a.zip", packed)) == [("a.zip/a.log", unpack.FOREIGN)]


def test_a_bomb_of_a_gigabyte_is_refused() -> None:
    bomb = raw_zip(b"a.log", zeros(1000), 1_000_000_000)
    assert len(bomb) < 1_000_000
    assert unread(("a.zip", bomb)) == [("a.zip", unpack.BOMB)]


def test_a_bomb_within_the_size_is_refused_by_its_ratio() -> None:
    assert unread(("a.zip", raw_zip(b"a.log", zeros(50), 50_000_000))) == [("a.zip", unpack.BOMB)]


def test_a_bomb_that_declares_little_unpacks_to_no_more() -> None:
    assert unread(("a.zip", raw_zip(b"a.log", zeros(1000), 10))) == [("a.zip/a.log", "it is damaged")]


def test_a_log_that_packs_well_is_no_bomb() -> None:
    text = b"".join(b"[2026-11-03 08:15:00] [INFO] motion - call %d answered\n" % n for n in range(200_000))
    assert len(lines(("a.log.gz", _gz(text)))["a.log.gz"]) == 200_000


def test_a_gzip_bomb_of_many_members_is_refused() -> None:
    assert unread(("a.gz", _gz(b"a" * 1_000_000) * 1000)) == [("a.gz", unpack.BOMB)]


def test_all_archives_of_a_mail_share_one_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip that declares more than is left is not begun with; a .gz declares nothing."""
    monkeypatch.setattr(unpack, "UNPACKED_MAX", 250)
    given = [
        ("0.zip", zipped(("a.log", b"a" * 100))),
        ("1.gz", _gz(b"a" * 100)),
        ("2.zip", zipped(("a.log", b"a" * 30), ("b.log", b"a" * 30))),
        ("3.gz", _gz(b"a" * 100)),
    ]
    logs, unreadable = open_logs(given)
    assert [log.name for log in logs] == ["0.zip/a.log", "1.gz"]
    assert unreadable == (Unreadable("2.zip", unpack.BOMB, 2), Unreadable("3.gz", unpack.BOMB, 3))


def test_an_archive_of_too_many_files_is_refused() -> None:
    packed = zipped(*((f"{number}.log", b"a\n") for number in range(unpack.MEMBERS_MAX + 1)))
    assert unread(("a.zip", packed)) == [("a.zip", unpack.TOO_MANY)]
    half = zipped(*((f"{number}.log", b"a\n") for number in range(unpack.MEMBERS_MAX // 2 + 1)))
    logs, unreadable = open_logs([("a.zip", half), ("b.zip", half)])
    assert len(logs) == unpack.MEMBERS_MAX // 2 + 1
    assert unreadable == (Unreadable("b.zip", unpack.TOO_MANY, 1),)
    assert unread(("a.gz", _gz(b"") * 2000 + _gz(b"a\n"))) == [("a.gz", unpack.DAMAGED)]  # of nothing but members


def test_a_directory_of_hundreds_of_thousands_of_files_is_not_even_read() -> None:
    entry = b"PK\x01\x02" + bytes(42)
    central = entry * 200_000
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 65_535, 65_535, len(central), 4, 0)
    assert unread(("a.zip", b"PK\x03\x04" + central + end)) == [("a.zip", unpack.TOO_MANY)]


def read_all(data: bytes) -> None:
    logs, _ = open_logs([("a", data)])
    for log in logs:
        assert all("\n" not in line and "\0" not in line for line in log.lines())


@given(st.binary(max_size=600))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_taken(data: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"\xff\xfe", b"\xfe\xff"):
        read_all(start + data)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_mutated_archives_are_taken(data: st.DataObject) -> None:
    packed = bytearray(data.draw(st.sampled_from([zipped(("a.log", LINE.encode() * 9)), _gz(LINE.encode() * 9)])))
    for _ in range(data.draw(st.integers(1, 6))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    read_all(bytes(packed[: data.draw(st.integers(4, len(packed)))]))
