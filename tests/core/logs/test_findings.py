"""What logs and status files say of the licence, in every shape that mail and log rotation leave them in."""

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.logs import log_file
from mailbot.core.logs.findings import Findings, looks_like_log, read_logs
from mailbot.core.logs.masking import LONGEST, redact
from mailbot.core.logs.unpack import open_logs

NEW, OLD = "A1B2C3D4E5F6", "F6E5D4C3B2A1"


def check(day: int, days_left: int | None = None, status: str = "grace", reason: str = "token_change") -> str:
    left = "" if days_left is None else f" daysLeft={days_left}"
    return (
        f"[2026-11-{day:02} 08:15:00] [WARN] license - [LICENSE:CHECK] token={NEW} previousToken={OLD} "
        f"status={status} reason={reason}{left}"
    )


NOISE = "[2026-11-09 10:00:00] [INFO] [motion] - GET /api status=200"
LOG = "\n".join([check(3, 10), check(4, 9), NOISE, check(6, 7), ""])
STATUS = {
    "schema": "license-status/1",
    "token": NEW,
    "previousToken": OLD,
    "product": "motion",
    "version": "3.58.0",
    "status": "grace",
    "reason": "token_change",
    "type": "annual",
    "plan": "voice_digital",
    "expiresAt": "2026-12-31T23:59:59+00:00",
    "grace": {"startedAt": "2026-11-03T07:15:00+00:00", "endsAt": "2026-11-13T07:15:00+00:00", "daysLeft": 7},
    "staff": {"agents": {"limit": 10, "inUse": 8}},
    "addOns": [],
    "plugins": ["botify"],
    "lastContactAt": "2026-11-02T07:00:00+00:00",
    "generatedAt": "2026-11-06T07:20:00+00:00",
}


def found(*files: str | bytes) -> Findings:
    given = [(f"{number}.log", file.encode() if isinstance(file, str) else file) for number, file in enumerate(files)]
    return read_logs(open_logs(given)[0])


def said(*files: str | bytes) -> tuple[object, ...]:
    """(status, reason, token, previous token, days left) as read."""
    last = found(*files).said
    return (last.status, last.reason, last.token, last.previous_token, last.days_left) if last else ()


GRACE = ("grace", "token_change", NEW, OLD, 7)


@pytest.mark.parametrize(
    "file",
    [
        LOG,
        LOG.rstrip("\n"),
        LOG.replace("\n", "\r\n"),
        LOG.encode("utf-16"),
        LOG.encode("utf-8-sig"),
        gzip.compress(LOG.encode()),
        LOG.replace("[2026", "VERBOSE [2026"),
        LOG.replace("] license -", "] [license] -"),
        LOG.replace("[WARN]", "\x1b[33m[WARN]\x1b[39m"),
        LOG.replace(" 08:15:00]", "T08:15:00.123+01:00]"),
        LOG.replace("daysLeft=7", 'daysLeft="7", note="status=active"'),
        LOG.replace(f"token={NEW}", f"token='{NEW}'"),
        LOG.replace(" daysLeft=7", ' {"daysLeft": 7}'),
        "".join(f"> {line}\n" for line in LOG.split("\n")),
        LOG.replace(" previousToken", "\npreviousToken").replace(" reason", "\nreason"),
        LOG.replace(" [LICENSE", "\n[LICENSE"),
        LOG.replace("license - ", "license – ").replace(" ", " "),
        "Dear desk,\nhere is the log:\n\n" + LOG + "\nRegards\n-- \nMario\n",
        LOG[LOG.index("nse - [") :],
        LOG[LOG.index("08:15:00] [WARN]") :],
        LOG[LOG.index("ARN] license") :],
        LOG + check(7, 6)[:95],
        LOG + check(6, 7)[:-20],
    ],
)
def test_a_log_is_read_in_any_shape(file: str | bytes) -> None:
    findings = found(file)
    assert said(file) == GRACE
    assert findings.all_tokens == {NEW, OLD}


def test_the_last_line_with_a_status_wins() -> None:
    assert said(LOG + check(8, status="active", reason="other"))[0] == "active"
    assert said(LOG + NOISE)[0] == "grace"


@pytest.mark.parametrize(
    "line",
    [
        "[2026-11-09 10:00:00] [INFO] http - GET / status=active",
        "[2026-11-09 10:00:00] [INFO] chat - visitor: [LICENSE:CHECK] status=active",
        "[2026-11-09 10:00:00] [INFO] license - POST /check status=200",
        "INFO] chat - [LICENSE:CHECK] status=active",
        "he wrote - [LICENSE:CHECK] status=active",
        "[2026-11-09 10:00:00] [INFO] license - [LICENSE:CHECK] token=ZZZZZZZZ status=",
        "status=active",
        '{"status": "active", "token": "12345678"}',
    ],
)
def test_what_is_not_the_licences_status_does_not_count(line: str) -> None:
    assert said(LOG + line) == GRACE
    assert found(line).said is None


def test_where_it_stands_is_file_and_line() -> None:
    findings = found(NOISE, LOG)
    assert findings.said
    assert findings.first
    assert (findings.first.line.file, findings.first.line.number, findings.first.at) == (
        "1.log",
        1,
        "2026-11-03T08:15:00",
    )
    assert (findings.said.line.file, findings.said.line.number, findings.said.at) == ("1.log", 4, "2026-11-06T08:15:00")
    assert findings.said.line.text == check(6, 7)


def test_the_span_is_from_the_first_to_the_last_line_of_all_files() -> None:
    findings = found(NOISE, LOG)
    assert (findings.first_at, findings.last_at) == ("2026-11-03T08:15:00", "2026-11-09T10:00:00")


def test_equal_lines_are_one_state_with_its_first_and_last_line() -> None:
    lines = [check(3), check(4), check(5)]
    findings = found("\n".join(lines))
    assert findings.said
    assert findings.first
    assert (findings.first.line.number, findings.said.line.number, findings.said.at) == (1, 3, "2026-11-05T08:15:00")


def test_rotated_files_are_read_in_order_of_time_whatever_their_order_in_the_mail() -> None:
    newer, older = "\n".join([check(5, 8), check(6, 7)]), "\n".join([check(2, status="active"), check(3, 10)])
    for files in ((newer, older), (older, newer)):
        findings = found(*files)
        assert said(*files) == GRACE
        assert findings.first
        assert findings.first.at == "2026-11-03T08:15:00"


def test_a_state_begins_again_after_another() -> None:
    findings = found("\n".join([check(1, 10), check(2, status="active"), check(3, 10), check(6, 7)]))
    assert findings.first
    assert findings.first.at == "2026-11-03T08:15:00"


def test_a_line_that_leaves_the_reason_out_goes_on_with_the_state() -> None:
    findings = found(LOG + check(7, 6).partition(" reason=")[0])
    assert findings.said
    assert findings.first
    assert (findings.said.reason, findings.first.at, findings.said.at) == (
        "token_change",
        "2026-11-03T08:15:00",
        "2026-11-07T08:15:00",
    )


def test_a_number_whose_end_is_torn_off_is_not_believed() -> None:
    assert said("\n".join([check(3, 10), check(3, 1)]))[4] == 10
    assert said("\n".join([check(3, 2), check(3, 1)]))[4] == 1


def test_a_number_that_the_end_of_the_file_has_cut_is_not_told() -> None:
    lines = [check(3, 13), check(4, 12)]
    assert said("\n".join(lines))[4] == 12
    assert said("\n".join(lines)[:-1])[4] is None
    assert said("\n".join(lines)[:-1] + "\n")[4] == 1  # a whole line says what it says


def test_lines_that_a_crash_has_glued_are_taken_apart() -> None:
    glued = check(3, 10)[:70] + check(6, 7)
    assert said(glued) == GRACE
    assert found(glued).all_tokens == {NEW, OLD}
    assert found(glued).last_at == "2026-11-06T08:15:00"
    foreign = "[2026-11-09 10:00:00] [INFO] chat - he wrote " + check(9, status="active")
    assert said(check(6, 7) + "\n" + foreign) == GRACE


def test_several_installations_are_kept_apart() -> None:
    other = [
        check(day, status="active").replace(NEW, "OTHERTOKEN99").replace(f"previousToken={OLD} ", "")
        for day in (3, 4, 6)
    ]
    ours = [check(3, 10), check(4, 9), check(6, 7)]
    findings = found("\n".join(line for pair in zip(ours, other, strict=True) for line in pair) + "\n")
    assert [one.said.token for one in findings.installations] == [NEW, "OTHERTOKEN99"]
    about = findings.about([OLD])
    assert about.said
    assert about.first
    assert (about.said.token, about.said.days_left, about.first.at) == (NEW, 7, "2026-11-03T08:15:00")


def test_times_that_go_back_are_told_and_prove_no_beginning() -> None:
    findings = found("\n".join([check(3, status="active"), check(4, 10).replace("2026", "2015"), check(6, 7)]) + "\n")
    assert findings.odd == ("The times in 0.log go back from 2026-11-03 08:15:00 to 2015-11-04 08:15:00 (line 2).",)
    assert findings.main
    assert findings.main.skewed
    summer = [check(3, 10), check(3, 9).replace("08:15", "07:20"), ""]
    assert found("\n".join(summer)).odd == ()


def test_a_state_first_met_after_a_long_silence_may_have_begun_before() -> None:
    for day, begun in ((2, True), (1, False)):
        findings = found("\n".join([check(day, status="active"), check(4, 10), ""]))
        assert findings.main
        assert findings.main.begun is begun


def test_blocks_of_traffic_are_counted_and_do_not_hide_what_stands_between_them() -> None:
    traffic = "".join(
        f'[2026-11-05 08:{n // 60 % 60:02}:{n % 60:02}] [INFO] motion - GET /x {{"id":{n}}}\n' for n in range(5_000)
    )
    later = traffic.replace("11-05", "11-07")
    text = check(3, 10) + "\n" + traffic + check(6, 7) + "\n" + later + json.dumps(STATUS, indent=2) + "\n" + later
    findings = found(text)
    assert said(text) == GRACE
    assert findings.main
    assert findings.main.from_log
    assert findings.main.from_log.line.number == 5_002
    assert findings.main.from_file
    assert findings.main.from_file.line.number == 10_003 + 6
    assert (findings.first_at, findings.last_at) == ("2026-11-03T08:15:00", "2026-11-07T08:23:19")
    assert findings.odd == ()


def test_a_token_that_the_end_of_the_file_has_cut_is_not_a_token() -> None:
    cut = f"[2026-11-07 08:15:00] [WARN] license - [LICENSE:CHECK] token={NEW[:9]}"
    assert found(LOG + cut).all_tokens == {NEW, OLD}
    assert NEW[:9] in found(LOG + cut + "\n" + NOISE).all_tokens


def test_an_unknown_status_is_told_and_does_not_win() -> None:
    findings = found(LOG + check(7, status="frozen"))
    assert said(LOG + check(7, status="frozen")) == GRACE
    assert findings.odd == ("0.log names an unknown status: frozen.",)


def test_an_unknown_reason_is_kept_as_it_stands() -> None:
    assert said(check(3, reason="unpaid"))[1] == "unpaid"


@pytest.mark.parametrize(
    "file",
    [
        json.dumps(STATUS),
        json.dumps(STATUS, indent=4),
        "\ufeff" + json.dumps(STATUS),
        json.dumps(STATUS).encode("utf-16"),
        json.dumps({"ok": True, "data": {"license": STATUS}}),
        json.dumps([STATUS]),
        json.dumps({key: value for key, value in STATUS.items() if key != "schema"}),
        "Hello {name},\nthis is what it says:\n" + json.dumps(STATUS, indent=2) + "\nBye\n",
        "Status: " + json.dumps(STATUS),
        json.dumps(STATUS).replace(", ", ",\n"),
        json.dumps(STATUS).replace('"', "”"),
        "".join(f"> {line}\n" for line in json.dumps(STATUS, indent=2).split("\n")),
        "{\n" + json.dumps(STATUS, indent=2),
        json.dumps(STATUS)[:-30],
        json.dumps(STATUS)[: json.dumps(STATUS).index('"staff"')],
        f"[2026-11-06 08:20:00] [INFO] license - {json.dumps(STATUS)}",
    ],
)
def test_a_status_file_is_read_in_any_shape(file: str | bytes) -> None:
    findings = found(file)
    assert said(file) == GRACE
    assert findings.said
    assert findings.said.from_file
    assert (findings.said.since, findings.said.version, findings.said.expires_at) == (
        "2026-11-03T07:15:00+00:00",
        "3.58.0",
        "2026-12-31T23:59:59+00:00",
    )


def test_a_cut_status_file_is_told() -> None:
    assert found(json.dumps(STATUS)[:-30]).odd == ("The status in 0.log is incomplete.",)
    assert found(json.dumps(STATUS)).odd == ()


def test_the_lines_of_a_status_file_are_those_of_its_values() -> None:
    findings = found("Hello\n" + json.dumps(STATUS, indent=1))
    assert findings.said
    where = findings.said.where
    assert [(where[name].number, where[name].text.strip()) for name in ("status", "reason", "days_left")] == [
        (8, '"status": "grace",'),
        (9, '"reason": "token_change",'),
        (16, '"daysLeft": 7'),
    ]


def test_unknown_keys_are_kept_and_masked() -> None:
    findings = found(
        json.dumps({**STATUS, "region": "eu", "seats": {"max": 3}, "contactName": "Mario", "host": "10.0.0.1"})
    )
    assert findings.unknown == (("region", "eu"), ("seats", '{"max": 3}'), ("contactName", "***"), ("host", "***"))
    many = found(json.dumps({**STATUS, **{f"key{number}": number for number in range(500)}}))
    assert len(many.unknown) == 20


def test_a_newer_schema_is_read_and_told() -> None:
    findings = found(json.dumps({**STATUS, "schema": "license-status/2"}))
    assert findings.said
    assert findings.odd == ("The status in 0.log has the schema license-status/2, but only license-status/1 is known.",)


def test_log_and_status_file_complete_each_other() -> None:
    bare = {key: value for key, value in STATUS.items() if key != "grace"}
    findings = found(json.dumps(bare), LOG)
    assert findings.said
    assert (findings.said.from_file, findings.said.days_left, findings.said.version) == (True, 7, "3.58.0")


def test_a_log_that_is_clearly_later_than_the_status_file_wins() -> None:
    later = check(9, status="active", reason="other")
    findings = found(json.dumps(STATUS), later)
    assert findings.said
    assert (findings.said.status, findings.said.version, findings.said.days_left) == ("active", "3.58.0", None)
    assert found(json.dumps(STATUS), check(6, status="active")).said.status == "grace"  # type: ignore[union-attr]


@pytest.mark.parametrize("value", [True, "ten", "1e9", 10**400, float("inf"), [7], {"a": 1}, "٧"])
def test_days_that_are_no_number_are_not_said(value: object) -> None:
    assert said(json.dumps({**STATUS, "grace": {"daysLeft": value}}))[:2] == GRACE[:2]
    assert said(json.dumps({**STATUS, "grace": {"daysLeft": value}}))[4] is None


@pytest.mark.parametrize("text", [LOG, f"Hello,\n> {check(3)}\n", json.dumps(STATUS), "[LICENSE:CHECK] status=grace"])
def test_a_pasted_log_is_recognised(text: str) -> None:
    assert looks_like_log(text)


@pytest.mark.parametrize("text", ["", "Old token: A1B2C3D4\nNew token: B", "[x] Voice\n[ ] Digital", '{"a": 1}'])
def test_a_form_or_prose_is_no_log(text: str) -> None:
    assert not looks_like_log(text)


def test_more_different_lines_than_any_log_has_still_end_in_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "_LICENCE_LINES_MAX", 5)
    findings = found("\n".join(check(3, days) for days in range(90, 6, -1)))
    assert findings.said
    assert findings.said.days_left == 7
    assert findings.tokens_cut
    assert len(findings.odd) == 1


def test_a_file_of_too_many_lines_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "_LINES_MAX", 3)
    assert found(LOG).odd == ("0.log is too long: its end was not read.",)


def test_tokens_are_bounded() -> None:
    findings = found("\n".join(check(3).replace(NEW, f"TOKEN{number:08}") for number in range(1_100)))
    assert len(findings.tokens) == 1_000
    assert findings.tokens_cut


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b'{"license-status/', b"[LICENSE:X] status=grace ", b"[2026-99-99 29:00:00"]),
)
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_taken(data: bytes, start: bytes) -> None:
    found(start + data)
    looks_like_log((start + data).decode("latin-1"))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_mutated_logs_are_taken(data: st.DataObject) -> None:
    text = bytearray(data.draw(st.sampled_from([LOG.encode(), json.dumps(STATUS, indent=1).encode()])))
    for _ in range(data.draw(st.integers(1, 8))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    findings = found(bytes(text[: data.draw(st.integers(1, len(text)))]))
    if findings.said:
        assert findings.said.status in {"active", "grace", "trial", "inactive", "deactivated"}


def test_other_json_does_not_push_the_status_out() -> None:
    assert said(json.dumps(STATUS) + "\n" + '{"status": "ok", "id": 1}\n' * 100) == GRACE


PIECES = (
    check(3, 10), check(4, 9), check(5, status="active"), NOISE, NOISE.replace("motion", "license"), "{", "}", "  {", "x {",
    "> {", json.dumps(STATUS), json.dumps(STATUS, indent=1), '{"license-status/1', "no time", "", "> " + check(6, 7), "\x1b[1mx",
    check(7, 6)[:60], check(3, 8)[25:], "previousToken=F6E5D4C3B2A1 status=grace", "[2026-11-09 10:00:00] [INFO] License - status=trial",
    "License - [LICENSE:X] status=trial", '{"status": "ok"}', 'x {\n"status": 1\n} y', "{\na\n} {", '{\n"grace": 1, "status": "trial"\n}', "y" * 70_000, "[2026-11-09 10:00:00] [INFO] licensing - {",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=30), st.sampled_from(["\n", ""]))
@settings(max_examples=300, deadline=None)
def test_lines_that_are_passed_over_would_have_said_nothing(lines: list[str], end: str) -> None:
    text = "\n".join(lines) + end
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_file, "telling_lines", lambda block: [0, *(n + 1 for n, c in enumerate(block) if c == "\n")])
        whole = found(text)
    assert found(text) == whole


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{" * 100_000, '{"status":' * 20_000, '{"license-status/' + "[" * 50_000]
)
def test_deep_nesting_is_taken(text: str) -> None:
    assert found(text).said is None


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("from 10.20.30.40:443, [::1]:80 and 2001:db8::1: ok", "from ***:443, [***]:80 and ***: ok"),
        ("::ffff:10.0.0.1 at 08:15:00 with 3.58.0", "***:*** at 08:15:00 with 3.58.0"),
        ("mail of mario.rossi+x@kunde.example, ok@desk.example", "mail of ***, ok@desk.example"),
        ("name=Mario Rossi status=grace", "name=*** status=grace"),
        ('{"customerName": "A \\" B", "status": "grace"}', '{"customerName": "***", "status": "grace"}'),
        (
            "password=a,b c secret: 'x y' apiKey=1 token=A1B2C3D4",
            "password=*** secret: '***' apiKey=*** token=A1B2C3D4",
        ),
        ("accessToken=abc previousToken=F6E5D4C3", "accessToken=*** previousToken=F6E5D4C3"),
        ("sent Bearer abc.def-ghi now", "sent Bearer *** now"),
        ("GET /a?token=A1B2C3D4&x=1 200", "GET /a?*** 200"),
        ("to https://user:pass@host/x", "to https://***@host/x"),
        ("\x1b[31mred\x1b[0m\r\n\0\u202e\u2028end", "redend"),
        (check(3, 10), check(3, 10)),
    ],
)
def test_masking(line: str, shown: str) -> None:
    assert redact(line, keep=["OK@desk.example"]) == shown


@given(st.text(max_size=2_000))
@settings(deadline=None)
def test_a_masked_line_is_one_short_line(text: str) -> None:
    shown = redact(text)
    assert len(shown) <= LONGEST
    assert not any(ord(char) < 32 or 0x7F <= ord(char) <= 0x9F for char in shown)


def test_no_address_survives_at_any_place_of_a_long_line() -> None:
    for length in range(250, 320):
        assert "mario" not in redact("x" * length + " mario.rossi@kunde.example 1")
