"""A person leaves every table, on both databases."""

from datetime import UTC, datetime

from storage import due, erasure, inbox, keys, outbox, people
from storage.engine import Store

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


def test_mails_lose_their_bytes_and_keep_what_became_of_them(store: Store) -> None:
    with store.write() as s:
        people.add_contact(s, "TOKEN123", "Jo@acme.example", NOON, makes_known=True)
        people.add_contact(s, "TOKEN123", "@acme.example", NOON, makes_known=True)
        mail, _ = inbox.keep(s, b"From: jo", "ab", NOON, NOON, "inject")
        inbox.mark(
            s,
            mail.id,
            "quarantined",
            at=NOON,
            facts=inbox.MailFacts(sender="JO@acme.example", message_id="<1@acme.example>"),
        )
        other, _ = inbox.keep(s, b"From: al", "cd", NOON, NOON, "inject")
        inbox.mark(s, other.id, "handled", at=NOON, facts=inbox.MailFacts(sender="al@acme.example"))
        answer = outbox.put(s, outbox.FinishedMail(message_id="<2@vendor.example>", kind="help", ref=None, recipient="jo@acme.example", envelope_from="", raw=b"To: jo", composed_at=NOON, not_before=NOON))  # fmt: skip
    with store.write() as s:
        found = erasure.erase(s, "jo@ACME.example", NOON, lambda body: body)
    assert found == erasure.Erased("jo@ACME.example", [], ["TOKEN123"], [], 1, 1)
    store.scrub()
    with store.write() as s:
        assert [row.address for row in people.contacts(s, "TOKEN123")] == ["@acme.example"]
        assert inbox.by_sha256(s, "ab").state == "dropped"
        assert (inbox.by_sha256(s, "ab").sender, inbox.by_sha256(s, "ab").message_id) == ("erased", None)
        assert inbox.raw(s, other.id) == b"From: al"
        row = outbox.get(s, answer.id)
        assert (row.recipient, row.state) == ("erased", "dropped")
        assert not outbox.retry(s, answer.id, NOON)
        assert outbox.claim(s, NOON, 10, NOON) == []


def test_what_is_due_and_what_a_key_is_for_names_nobody_any_more(store: Store) -> None:
    with store.write() as s:
        due.add(s, "close", NOON, NOON, payload={"text": "Jo@acme.example is silent"})
        keys.add(
            s,
            keys.NewKey(
                digest="1",
                purpose="staff",
                address="al@acme.example",
                made_at=NOON,
                payload={"text": "APPROVE for JO@acme.example"},
            ),
        )
        keys.add(s, keys.NewKey(digest="2", purpose="customer", address="jo@acme.example", made_at=NOON))
    with store.write() as s:
        erasure.erase(s, "jo@acme.example", NOON, lambda body: body)
    with store.read() as s:
        assert [row.payload for row in due.open_(s)] == [{"text": "erased is silent"}]
        assert keys.find(s, "1").payload == {"text": "APPROVE for erased"}
        assert keys.find(s, "2") is None


def test_an_address_goes_from_every_text_whatever_its_case() -> None:
    value = {"Jo@a.example": ["to JO@A.EXAMPLE and jo@a.example.org", 1, None], "b": {"c": "joe@a.example"}}
    assert erasure.replaced(value, "jo@a.example") == {
        "erased": ["to erased and jo@a.example.org", 1, None], "b": {"c": "joe@a.example"},
    }  # fmt: skip
