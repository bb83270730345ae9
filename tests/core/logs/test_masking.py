"""No line that is quoted shows people, machines or secrets, however hostile the line is."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.logs.diagnosis import FormClaim, LedgerClaim, diagnose
from mailbot.core.logs.findings import read_logs
from mailbot.core.logs.masking import LONGEST, redact
from mailbot.core.logs.unpack import open_logs

#: How logs name what must not be shown: the secret stands for ``{}``.
SECRETS = (
    *("password={}", "passwd: {}", 'pwd="{}"', "db_pass={}", "PGPASSWORD={} psql", "{{'password': '{}'}}", "pass\u200bword={}"),
    *("password\t=\t{}", "passphrase={}", "--password {}", "-pass {} x", "api_key={}", "X-Api-Key: {}", "secretKey={}"),
    *("secret.value={}", "AWS_SECRET_ACCESS_KEY={}", "client_secret={}", "accessToken={}", "x-auth-token: {}", "csrf={}"),
    *("Authorization: Bearer {}", "authorization=Basic {}", "got Bearer {}", "sid={}", "Cookie: a={}; b={}", "set-cookie=s={}"),
    *("GET /x?token={} 200", "GET /x?a=1&b={} 200", "https://h/p?code={}#f", "https://u:{}@host/x", "redis://:{}@h:1"),
    *("name={}", "name='{}'", 'name="{}" status=grace', "Name: {}", "userName={}", '{{"customerName": "{}"}}', "user: {}"),
    *("contact_person={}", "phone={}", "caller={}", "name=token={}", "-----BEGIN RSA PRIVATE KEY-----{}", "otp={}", "login={}"),
)  # fmt: skip
PLACES = (
    "{}",
    "x {} y",
    "[2026-11-03 08:15:00] [WARN] license - [LICENSE:CHECK] status=grace {} daysLeft=7",
    '({})"',
    "a=1;{}",
)
WORDS = st.text(string.ascii_letters + string.digits, min_size=6, max_size=30).map(lambda word: f"Zq{word}")


@given(WORDS, st.sampled_from(SECRETS), st.sampled_from(PLACES))
@settings(max_examples=600, deadline=None)
def test_no_secret_survives_in_any_place(word: str, secret: str, place: str) -> None:
    assert word not in redact(place.format(secret.format(word, word)))


@given(
    st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str),
    st.sampled_from(
        ["{}", "[{}]:443", "ip={}", "from {}: ok", "<{}>", "x,{},y", "({})", "{}/24", "client:{}", "ab:{} x"]
    ),
)
@settings(max_examples=400, deadline=None)
def test_no_address_of_a_machine_survives(address: str, place: str) -> None:
    if address != "::":
        assert address not in redact(place.format(address))


@given(st.emails(), st.sampled_from(["{}", "<{}>", "to={} x", "mailto:{}", "({})", "a,{},b"]))
@settings(max_examples=400, deadline=None)
def test_no_mail_address_survives(address: str, place: str) -> None:
    local, _, domain = address.rpartition("@")
    if local.isalnum():
        shown = redact(place.format(address))
        assert address not in shown
        assert domain not in shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("10.20.30.40.443 > 10.20.30.41.51000", "*** > ***"),
        ("from ec2-10-20-30-40.compute.example", "from ec2-***.compute.example"),
        ("v10.20.30.40x", "v***x"),
        ("fe80::1%eth0", "***"),
        ("mario%40kunde.example", "***"),
        ('"mario rossi"@kunde.example', "***"),
        ("mario@[10.0.0.1]", "***"),
        ("mário@künde.example", "***"),
        ("AKIAIOSFODNN7EXAMPLE ghp_abcdefghijklmnopqrstuvwxyz0123", "*** ***"),
        ("fullName=Mario Rossi,agents=5", "fullName=***,agents=5"),
        ('{"password":{"value":"x"},"agents":5}', '{"password":{***},"agents":5}'),
        ('{"credentials":["a","b"],"apiKeys":["c"]}', '{"credentials":[***],"apiKeys":[***]}'),
        ('"Mario Rossi" <m@kunde.example>', '"***" <***>'),
        ("GET https://h/x?geheim HTTP/1.1", "GET https://h/x?*** HTTP/1.1"),
        ('telephones=4 {"telephones":{"limit":4}}', 'telephones=4 {"telephones":{"limit":4}}'),
        ("2026-11-03 08:15:00 version=3.58.0 daysLeft=7", "2026-11-03 08:15:00 version=3.58.0 daysLeft=7"),
    ],
)
def test_what_is_masked_and_what_is_left(line: str, shown: str) -> None:
    assert redact(line) == shown


def test_the_customers_own_address_may_be_shown() -> None:
    assert (
        redact("mail of joe@acme.example and eve@evil.example", ["Joe@acme.example"])
        == "mail of joe@acme.example and ***"
    )


@given(st.text(max_size=3_000))
@settings(max_examples=300, deadline=None)
def test_any_text_is_masked_into_one_short_line(text: str) -> None:
    shown = redact(text)
    assert len(shown) <= LONGEST
    assert shown.isprintable() or not any(ord(char) < 32 for char in shown)


HOSTILE = "[2026-11-03 08:15:00] [WARN] license - [LICENSE:CHECK] {} status=grace reason={} daysLeft=7 version={}\n"


@pytest.mark.parametrize("private", ["mario@kunde.example", "10.20.30.40", "2001:db8::1", "password=geheim1"])
def test_a_value_that_is_no_token_reason_or_version_but_an_address_is_masked_everywhere(private: str) -> None:
    line = HOSTILE.format(f"token={private} previousToken={private}", private, private)
    line += line.replace("grace", "frozen").replace("license - ", f"license - name={private} ")
    findings = read_logs(open_logs([("a.log", line.encode())])[0])
    ledger = LedgerClaim("active", "x", frozenset(findings.all_tokens))
    told = diagnose(findings, (), FormClaim("expired", "A1B2C3D4E5F6"), ledger, None).model_dump_json()
    assert private.removeprefix("password=") not in told


def test_the_forms_own_token_is_shown_even_if_it_looks_like_an_address() -> None:
    line = HOSTILE.format("token=joe@acme.example", "expired", "3.58.0")
    findings = read_logs(open_logs([("a.log", line.encode())])[0])
    told = diagnose(findings, (), FormClaim("expired", "joe@acme.example"), LedgerClaim(), None)
    assert told.token == "joe@acme.example"
    assert "token=joe@acme.example" in told.proof[0].text


@pytest.mark.parametrize(
    "text",
    [
        "a@" * 50_000,
        "?" * 100_000,
        "=" * 100_000,
        "password=" * 20_000,
        '"' * 100_000,
        "1." * 50_000,
        "1-" * 50_000,
        ":" * 100_000,
        "-----BEGIN " * 9_000,
    ],
)
def test_a_long_hostile_line_is_bounded_work(text: str) -> None:
    assert len(redact(text)) <= LONGEST
