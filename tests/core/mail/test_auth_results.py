"""Which senders are proved: only by the receiving server, and only for exactly the From domain."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.mail.auth_results import Verdict, sender_verdict
from mailbot.core.mail.message import Message, parse

ID = "mx.desk.example"
VERIFIED, UNVERIFIED, REFUSED = Verdict.VERIFIED, Verdict.UNVERIFIED, Verdict.REFUSED


def stamped(*results: str, sender: str = "ann@acme.example") -> Message:
    """A mail from ``sender`` with these Authentication-Results fields, topmost first."""
    fields = "".join(f"Authentication-Results: {one}\n" for one in results)
    return parse(f"{fields}From: {sender}\nTo: licences@desk.example\n\nhello\n".encode())


@pytest.mark.parametrize(
    "result",
    [
        "mx.desk.example; dmarc=pass header.from=acme.example",
        "MX.Desk.EXAMPLE 1; DMARC=Pass header.From=Acme.Example",
        '"mx.desk.example"; dkim=pass header.d=acme.example',
        "mx.desk.example; dkim=pass header.d=acme.example",
        "mx.desk.example; dkim=pass header.i=@acme.example header.s=s1 header.b=Ab/c+1",
        "mx.desk.example; dkim=pass header.i=ann@acme.example",
        "mx.desk.example; dkim=pass header.d=other.example; dkim=pass (2048-bit key) header.d=acme.example",
        "mx.desk.example;\n dkim=fail (hash) header.d=acme.example;\n\tdmarc=pass (p=NONE;x) header.from=acme.example",
        'mx.desk.example (a; b) ; spf=fail reason="x; dmarc=fail" smtp.helo=b.c; dmarc=pass header.from=acme.example',
        "mx.desk.example; dmarc=pass policy.published-domain-policy=none header.from=acme.example (p=none,d=none)",
        "mx.desk.example; dmarc=pass(p=NONE) header.from=acme.example; bimi=skipped; x-vendor=pass foo.bar=baz",
        "mx.desk.example; dmarc=temperror header.from=acme.example; dkim=pass header.d=acme.example",
    ],
)
def test_a_pass_for_exactly_the_from_domain_verifies_the_sender(result):
    assert sender_verdict(stamped(result), ID) is VERIFIED


@pytest.mark.parametrize(
    "result",
    [
        "",
        ";",
        "mx.desk.example",
        "mx.desk.example; none",
        "mx.desk.example; spf=pass smtp.mailfrom=ann@acme.example",
        "mx.desk.example; dmarc=pass",
        "mx.desk.example; dmarc=pass header.from=other.example",
        "mx.desk.example; dmarc=pass header.from=sub.acme.example",
        "mx.desk.example; dmarc=pass header.from=acme.example.evil.example",
        "mx.desk.example; dmarc=pass header.from=evilacme.example",
        "mx.desk.example; dmarc=pass header.from=acme.example header.from=evil.example",
        "mx.desk.example; dmarc=pass header.from=evil.example; dmarc=pass header.from=acme.example",
        "mx.desk.example; dmarc=bestguesspass header.from=acme.example",
        "mx.desk.example; dkim=pass header.d=mail.acme.example",
        "mx.desk.example; dkim=pass header.d=example",
        "mx.desk.example; dkim=pass header.d=evil.example header.i=@acme.example",
        "mx.desk.example; dkim=pass header.s=acme.example",
        "mx.desk.example; dkim=fail header.d=acme.example",
        "mx.desk.example; dkim=policy header.d=acme.example",
        "mx.desk.example; (dmarc=pass header.from=acme.example) spf=pass",
        'mx.desk.example; spf=pass smtp.mailfrom="x; dmarc=pass header.from=acme.example"@evil.example',
        "mx.desk.example; spf=pass (domain of a)b; dkim=pass header.d=acme.example x@evil.example designates 1.2.3.4)",
        "mx.desk.example; arc=pass header.d=acme.example",
        "mx.desk.example.evil.example; dmarc=pass header.from=acme.example",
        "xmx.desk.example; dmarc=pass header.from=acme.example",
        "mx.desk; dmarc=pass header.from=acme.example",
        "other.example; mx.desk.example; dmarc=pass header.from=acme.example",
        "dmarc=pass header.from=acme.example",
        "mx.desk.example 2; dmarc=pass header.from=acme.example",
        "mx.desk.example; dmarc=pass header.from=acme.example; ((",
        "mx.desk.example; dmarc=pass header.from=acme.example" + " x" * 3000,
    ],
)
def test_a_result_that_does_not_pass_for_the_from_domain_leaves_the_sender_unverified(result):
    assert sender_verdict(stamped(result), ID) is UNVERIFIED


@pytest.mark.parametrize(
    "result",
    [
        "mx.desk.example; dmarc=fail header.from=acme.example",
        "mx.desk.example; dmarc=fail (p=reject) header.from=acme.example",
        "mx.desk.example; dmarc=fail (p=NONE sp=REJECT dis=REJECT) header.from=acme.example",
        "mx.desk.example; dmarc=fail (p=quarantine dis=none) header.from=acme.example",
        "mx.desk.example; dmarc = FAIL header.from=acme.example",
        "mx.desk.example; dmarc/1=fail header.from=acme.example",
        "mx.desk.example; dmarc=fail header.from=acme.example; dkim=pass header.d=acme.example",
        "mx.desk.example; spf=pass (p=none); dmarc=fail header.from=acme.example",
        "mx.desk.example; dmarc=pass header.from=acme.example; dmarc=fail header.from=acme.example",
        "mx.desk.example; dmarc=fail header.from=acme.example; garbage ((",
        "mx.desk.example; dmarc=fail header.from=acme.example" + " x" * 3000,
    ],
)
def test_a_dmarc_fail_refuses_the_sender_even_in_a_damaged_field(result):
    assert sender_verdict(stamped(result), ID) is REFUSED


@pytest.mark.parametrize(
    "result",
    [
        "mx.desk.example; dmarc=fail (p=NONE sp=NONE dis=NONE) header.from=acme.example",
        "mx.desk.example; dmarc=fail (p=none dis=none) header.from=acme.example; dkim=pass header.d=acme.example",
        'mx.desk.example; dmarc=fail reason="no DKIM" header.from=acme.example (policy=none)',
        "mx.desk.example; dmarc=fail policy.dmarc=none header.from=acme.example",
        "mx.desk.example; dmarc=fail policy.published-domain-policy=none policy.applied-disposition=none",
        "mx.desk.example; dmarc=failure",
    ],
)
def test_a_dmarc_fail_under_policy_none_is_only_unverified(result):
    assert sender_verdict(stamped(result), ID) is UNVERIFIED


GOOD = "mx.desk.example; dmarc=pass header.from=acme.example"
BAD = "mx.desk.example; dmarc=fail (p=reject) header.from=acme.example"


def test_only_the_topmost_field_with_the_id_counts():
    assert sender_verdict(stamped(GOOD, BAD), ID) is VERIFIED
    assert sender_verdict(stamped(BAD, GOOD), ID) is REFUSED
    assert sender_verdict(stamped("mx.desk.example; none", GOOD), ID) is UNVERIFIED
    assert sender_verdict(stamped("mx.desk.example; ((", GOOD), ID) is UNVERIFIED
    assert sender_verdict(stamped("other.example; dmarc=fail header.from=acme.example", GOOD), ID) is VERIFIED


def test_without_a_configured_id_no_sender_is_verified_or_refused():
    assert sender_verdict(stamped(GOOD), None) is UNVERIFIED
    assert sender_verdict(stamped(BAD), None) is UNVERIFIED
    assert sender_verdict(stamped(), ID) is UNVERIFIED


def test_a_mail_without_one_sender_is_never_verified():
    assert sender_verdict(stamped(GOOD, sender="ann@acme.example, bob@acme.example"), ID) is UNVERIFIED
    assert sender_verdict(stamped("mx.desk.example; dkim=pass header.d=", sender="nobody"), ID) is UNVERIFIED


def test_the_case_of_the_senders_domain_does_not_matter():
    assert sender_verdict(stamped(GOOD, sender="Ann <Ann@ACME.Example>"), ID) is VERIFIED


MS_PASS = (
    "spf=pass (sender IP is 203.0.113.7)\n smtp.mailfrom=acme.example; dkim=pass (signature was verified)\n"
    " header.d=acme.example;dmarc=pass action=none\n header.from=acme.example;compauth=pass reason=100"
)


def test_microsoft365_fields_have_no_id():
    assert sender_verdict(stamped(MS_PASS), "microsoft365") is VERIFIED
    assert sender_verdict(stamped(MS_PASS), "Microsoft365") is VERIFIED
    assert sender_verdict(stamped(MS_PASS.replace("acme.example", "other.example")), "microsoft365") is UNVERIFIED
    assert (
        sender_verdict(stamped(MS_PASS.replace("dmarc=pass", "dmarc=bestguesspass")), "microsoft365") is VERIFIED
    )  # by DKIM
    assert (
        sender_verdict(stamped("spf=pass smtp.mailfrom=acme.example; dkim=none; dmarc=none"), "microsoft365")
        is UNVERIFIED
    )


def test_microsoft365_must_be_the_topmost_field_of_all():
    assert sender_verdict(stamped("other.example; none", MS_PASS), "microsoft365") is UNVERIFIED
    assert sender_verdict(stamped("microsoft365; dmarc=pass header.from=acme.example"), "microsoft365") is UNVERIFIED


@pytest.mark.parametrize(
    ("action", "expected"),
    [("none", UNVERIFIED), ("quarantine", REFUSED), ("oreject", REFUSED), ("pct.reject", REFUSED), ("", REFUSED)],
)
def test_microsoft365_shows_the_policy_as_an_action(action, expected):
    action = f"action={action}" if action else ""
    result = (
        f"spf=fail smtp.mailfrom=acme.example; dkim=none header.d=none;dmarc=fail {action} header.from=acme.example"
    )
    assert sender_verdict(stamped(result), "microsoft365") is expected


@settings(max_examples=200, deadline=None, database=None)
@given(st.text(alphabet=st.sampled_from(';=().\\" adkimrcpsfe/1@\t'), max_size=120))
def test_no_field_makes_the_verdict_raise(noise):
    for head in ("", "mx.desk.example; ", "mx.desk.example; dmarc=pass header.from=other.example "):
        assert sender_verdict(stamped(head + noise), ID) in (UNVERIFIED, REFUSED)
        sender_verdict(stamped(head + noise), "microsoft365")


#: What receiving servers stamp, as it stands in real mails, with names changed: {id} is theirs, {d} the From domain.
SERVERS = {
    "Google": (
        "{id};\n       dkim=pass header.i=@{d} header.s=20230601 header.b=kX0q7mT/;\n       arc=pass (i=1 spf=pass spfdomain={d}"
        " dkim=pass dkdomain={d} dmarc=pass fromdomain={d});\n       spf=pass (google.com: domain of ann@{d} designates 203.0.113.7 as"
        " permitted sender) smtp.mailfrom=ann@{d};\n       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from={d};\n       dara=pass header.i=@desk.example"
    ),
    "Postfix and OpenDKIM": '{id};\n\tdkim=pass (2048-bit key; unprotected) header.d={d} header.i=@{d} header.a=rsa-sha256 header.s=s1 header.b="Ab/c+1";\n\tdkim-atps=neutral',
    "OpenDMARC": "{id}; dmarc=pass (p=quarantine dis=none) header.from={d}",
    "Rspamd": (
        "{id};\n\tdkim=pass header.d={d} header.s=dkim header.b=Zm9v;\n\tdmarc=pass (policy=none) header.from={d};\n"
        "\tspf=pass ({id}: domain of ann@{d} designates 203.0.113.7 as permitted sender) smtp.mailfrom=ann@{d}"
    ),
    "Exim": "{id};\n\tiprev=pass (mx.{d}) smtp.remote-ip=203.0.113.7;\n\tspf=pass smtp.mailfrom={d};\n\tdkim=pass header.d={d} header.s=x header.a=rsa-sha256;\n\tdmarc=pass header.from={d}",
    "Fastmail": (
        "{id};\n    bimi=skipped (DMARC did not pass);\n    dkim=pass (2048-bit rsa key sha256) header.d={d} header.i=@{d} header.b=Q1w2E3r4\n      header.a=rsa-sha256"
        " header.s=fm1;\n    dmarc=pass policy.published-domain-policy=reject\n      policy.applied-disposition=none policy.evaluated-disposition=none\n      (p=reject,d=none,d.eval=none)"
        " policy.policy-from=p header.from={d};\n    iprev=pass smtp.remote-ip=203.0.113.7 (mx.{d});\n    spf=pass smtp.mailfrom=ann@{d} smtp.helo=mx.{d};\n    x-google-dkim=none (no signatures found)"
    ),
    "Yahoo": "{id};\n dkim=pass header.i=@{d} header.s=s2048;\n spf=pass smtp.mailfrom={d};\n dmarc=pass(p=REJECT) header.from={d};",
    "Stalwart": "{id};\n\tdkim=pass header.d={d} header.s=ed header.b=abc;\n\tspf=pass (x) smtp.mailfrom=ann@{d} smtp.helo=mx.{d};\n\tdmarc=pass header.from={d} policy.dmarc=reject",
    "Microsoft 365": (
        "spf=pass (sender IP is 203.0.113.7)\n smtp.mailfrom={d}; dkim=pass (signature was verified)\n header.d={d};dmarc=pass action=none\n header.from={d};compauth=pass reason=100"
    ),
}
#: Domains that only look like acme.example.
LOOK_ALIKES = (
    "acme.example.evil.example", "evil-acme.example", "mail.acme.example", "acme.example.", "acme.examp1e", "acme-example.evil", "example",
    "xn--cme-hoa.example", "acme.example@evil.example", "ACME.EXAMPLE.COM",
)  # fmt: skip


def of_server(server: str, stamped_for: str) -> Message:
    return stamped(SERVERS[server].format(id=ID, d=stamped_for))


def configured(server: str) -> str:
    return "microsoft365" if server == "Microsoft 365" else ID


@pytest.mark.parametrize("server", SERVERS)
def test_what_real_servers_write_verifies_the_domain_it_names(server):
    assert sender_verdict(of_server(server, "acme.example"), configured(server)) is VERIFIED
    assert sender_verdict(of_server(server, "ACME.Example"), configured(server)) is VERIFIED


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("other", LOOK_ALIKES)
def test_what_real_servers_write_verifies_no_similar_domain(server, other):
    assert sender_verdict(of_server(server, other), configured(server)) is UNVERIFIED


@pytest.mark.parametrize("server", [server for server in SERVERS if "spf=" in SERVERS[server]])
def test_spf_alone_never_verifies(server):
    spf_only = (
        SERVERS[server]
        .format(id=ID, d="acme.example")
        .replace("dkim=pass", "dkim=none")
        .replace("dmarc=pass", "dmarc=none")
    )
    assert sender_verdict(stamped(spf_only), configured(server)) is UNVERIFIED


@pytest.mark.parametrize("server", [server for server in SERVERS if "dmarc=pass" in SERVERS[server]])
def test_what_real_servers_write_about_a_forged_mail_does_not_verify(server):
    failed = (
        SERVERS[server]
        .format(id=ID, d="acme.example")
        .replace("dkim=pass", "dkim=fail")
        .replace("dmarc=pass", "dmarc=fail")
    )
    assert sender_verdict(stamped(failed), configured(server)) is not VERIFIED
