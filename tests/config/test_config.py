"""The configuration: where it comes from, its defaults, and every fault told at once."""

from datetime import time
from pathlib import Path

import pytest

from mailbot.config.settings import Config, ConfigError, load_config
from tests.support.paths import DOCS, TESTS

CONFIGS = TESTS / "configs"
BAD = sorted(CONFIGS.glob("*.toml"))
EXAMPLE = DOCS / "mailbot.example.toml"

SMALL = """
[mailbot]
address = "desk@example.com"
time_zone = "Europe/Rome"
[imap]
host = "mail.example.com"
username = "desk"
password = "in-the-file"
[smtp]
host = "mail.example.com"
[identity]
authserv_id = "mail.example.com"
[[staff]]
address = "anna@example.com"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, text: str = SMALL) -> Path:
    path = folder / "mailbot.toml"
    path.write_text(text)
    return path


def faults(path: Path | None, **environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load_config(path, environ)
    return caught.value.faults


# Files that are wrong


@pytest.mark.parametrize("bad", BAD, ids=lambda path: path.stem)
def test_every_fault_of_a_bad_configuration_is_listed(
    bad: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(CONFIGS)
    with pytest.raises(ConfigError) as caught:
        load_config(Path(bad.name), {})
    expected = bad.with_suffix(".expected-error")
    if request.config.getoption("--update", False):
        expected.write_text(f"{caught.value}\n")
    assert f"{caught.value}\n" == expected.read_text()


def test_there_are_bad_configurations_to_test() -> None:
    assert len(BAD) >= 15


def test_faults_never_contain_secrets() -> None:
    told = "".join(path.read_text() for path in CONFIGS.glob("*.expected-error"))
    assert "not-told" not in told
    assert "12345" not in told


def test_repr_of_the_configuration_hides_secrets(folder: Path) -> None:
    config = load_config(written(folder), {})
    assert "in-the-file" not in f"{config} {config!r}"
    assert config.imap.password.get_secret_value() == "in-the-file"


@pytest.mark.parametrize("section", ["mailbot", "database", "imap", "smtp", "identity", "staff", "limits", "timers"])
@pytest.mark.parametrize(
    "value", ["7", "'text'", "[]", "[1]", "[[1]]", "{ url = {}, host = [], password = {} }", "2026-01-01"]
)
def test_a_section_of_any_other_type_is_a_fault_without_a_traceback(folder: Path, section: str, value: str) -> None:
    assert faults(written(folder, f"{section} = {value}"), MAILBOT_STAFF__1__NAME="x", MAILBOT_IMAP__PORT="1")


# Defaults


def test_the_defaults_are_those_of_the_specification(folder: Path) -> None:
    config = load_config(written(folder), {})
    assert config.mailbot.data_dir == Path("var")
    assert (config.mailbot.ticket_prefix, config.mailbot.language) == ("LIC", "en")
    assert config.mailbot.catalogue is config.mailbot.templates is config.mailbot.public_url is None
    assert config.database_url == "sqlite:///var/mailbot.db"
    assert (config.imap.security, config.imap.port, config.imap.poll_seconds) == ("tls", 993, 60)
    assert (config.imap.folder, config.imap.done_folder, config.imap.quarantine_folder) == (
        "INBOX",
        "Done",
        "Quarantine",
    )
    assert config.imap.spam_header is None
    assert (config.smtp.security, config.smtp.port, config.smtp.connections) == ("tls", 465, 4)
    assert config.smtp.username is config.smtp.password is None
    assert config.smtp.sub_addressing is True
    assert (config.identity.staff, config.identity.customers) == ("key+verified", "verified-or-confirm")
    assert config.identity.partners == ()
    assert config.limits.model_dump() == {
        "raw_mb": 45,
        "replies_per_sender_per_day": 10,
        "replies_to_unknown_per_hour": 60,
    }
    assert config.timers.model_dump() == {
        "staff_reminder_hours": 24,
        "digest_at": time(8),
        "customer_reminder_days": 3,
        "close_after_days": 14,
        "key_days": 30,
    }
    assert config.retention.raw_days == 365


@pytest.mark.parametrize(("security", "imap", "smtp"), [("tls", 993, 465), ("starttls", 143, 587), ("plain", 143, 25)])
def test_the_default_port_follows_from_the_security(folder: Path, security: str, imap: int, smtp: int) -> None:
    text = SMALL.replace('host = "mail.example.com"', f'host = "127.0.0.1"\nsecurity = "{security}"')
    config = load_config(written(folder, text), {})
    assert (config.imap.port, config.smtp.port) == (imap, smtp)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1"])
def test_plain_security_is_allowed_only_on_loopback(folder: Path, host: str) -> None:
    text = SMALL.replace('host = "mail.example.com"', f'host = "{host}"\nsecurity = "plain"')
    assert load_config(written(folder, text), {}).imap.host == host


def test_a_member_of_staff_without_a_name_has_the_address_as_name(folder: Path) -> None:
    assert load_config(written(folder), {}).staff[0].name == "anna@example.com"


def test_the_zone_of_the_configuration_is_mailbot_time_zone(folder: Path) -> None:
    assert load_config(written(folder), {}).zone.key == "Europe/Rome"


def test_identity_staff_key_needs_no_authserv_id(folder: Path) -> None:
    text = SMALL.replace('authserv_id = "mail.example.com"', 'staff = "key"')
    assert load_config(written(folder, text), {}).identity.authserv_id is None


def test_a_long_address_is_allowed_without_sub_addressing(folder: Path) -> None:
    text = SMALL.replace("desk@example.com", "a-very-long-name-for-a-license-desk@example.com")
    assert faults(written(folder, text))
    assert load_config(written(folder, text.replace("[smtp]", "[smtp]\nsub_addressing = false")), {})


def test_digest_at_accepts_a_toml_time(folder: Path) -> None:
    text = SMALL + "[timers]\ndigest_at = 07:30:00\n"
    assert load_config(written(folder, text), {}).timers.digest_at == time(7, 30)


# Where it comes from


def test_option_then_environment_then_working_directory_name_the_file(folder: Path) -> None:
    for name in ("here", "env", "named"):
        (folder / f"{name}.toml").write_text(SMALL.replace("desk@", f"{name}@"))
    (folder / "here.toml").rename(folder / "mailbot.toml")
    environ = {"MAILBOT_CONFIG": str(folder / "env.toml")}
    assert load_config(folder / "named.toml", environ).mailbot.address == "named@example.com"
    assert load_config(None, environ).mailbot.address == "env@example.com"
    assert load_config(None, {}).mailbot.address == "here@example.com"


def test_a_missing_configuration_file_is_named(folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(Path("there.toml"), {})
    assert str(caught.value).startswith("there.toml: 1 fault\n  cannot be read: No such file or directory")
    with pytest.raises(ConfigError) as caught:
        load_config(None, {})
    assert caught.value.source == "mailbot.toml"


def test_a_folder_as_configuration_file_is_a_fault(folder: Path) -> None:
    assert "cannot be read: Is a directory" in faults(folder)[0]


def test_every_key_can_come_from_the_environment(folder: Path) -> None:
    config = load_config(
        written(folder),
        {
            "MAILBOT_IMAP__PORT": "1993",
            "MAILBOT_IMAP__PASSWORD": "from-outside",
            "MAILBOT_SMTP__SUB_ADDRESSING": "false",
            "MAILBOT_IDENTITY__PARTNERS": "@partner.example, carlo@example.com",
            "MAILBOT_TIMERS__DIGEST_AT": "06:15",
            "MAILBOT_DATABASE__URL": "sqlite:////srv/desk.db",
            "MAILBOT_STAFF__1__NAME": "Anna",
            "MAILBOT_STAFF__2__ADDRESS": "bert@example.com",
            "MAILBOT_SERVICE_HOST": "10.0.0.1",  # set by container platforms, not ours
            "HOME": "/nowhere",
        },
    )
    assert (config.imap.port, config.imap.password.get_secret_value()) == (1993, "from-outside")
    assert config.smtp.sub_addressing is False
    assert config.identity.partners == ("@partner.example", "carlo@example.com")
    assert config.timers.digest_at == time(6, 15)
    assert config.database_url == "sqlite:////srv/desk.db"
    assert [(one.address, one.name) for one in config.staff] == [
        ("anna@example.com", "Anna"),
        ("bert@example.com", "bert@example.com"),
    ]


def test_the_environment_alone_is_a_configuration(folder: Path) -> None:
    config = load_config(
        None,
        {
            "MAILBOT_MAILBOT__ADDRESS": "desk@example.com",
            "MAILBOT_MAILBOT__TIME_ZONE": "UTC",
            "MAILBOT_MAILBOT__DATA_DIR": "/srv/mailbot",
            "MAILBOT_IMAP__HOST": "mail.example.com",
            "MAILBOT_IMAP__USERNAME": "007",
            "MAILBOT_IMAP__PASSWORD": "123456",
            "MAILBOT_SMTP__HOST": "mail.example.com",
            "MAILBOT_IDENTITY__STAFF": "key",
            "MAILBOT_STAFF__1__ADDRESS": "anna@example.com",
        },
    )
    assert config.imap.username == "007"
    assert config.imap.password.get_secret_value() == "123456"
    assert config.database_url == "sqlite:////srv/mailbot/mailbot.db"


def test_faults_of_the_environment_are_in_the_same_list(folder: Path) -> None:
    assert faults(
        written(folder, SMALL.replace("Europe/Rome", "Mars/Base")),
        MAILBOT_IMAP__POLL_SECONDS="soon",
        MAILBOT_IMAP__HOTS="x",
        MAILBOT_NOWHERE__KEY="x",
        MAILBOT_IMAP__A__B="x",
        MAILBOT_STAFF__3__NAME="x",
    ) == (
        "MAILBOT_IMAP__A__B: unknown, must be MAILBOT_SECTION__KEY or MAILBOT_STAFF__1__KEY",
        "MAILBOT_STAFF__3__NAME: must be numbered from 1 without gaps, but 1 precede it",
        "mailbot.time_zone: read 'Mars/Base', must be the name of a time zone, such as 'Europe/Rome'",
        "imap.poll_seconds: read 'soon', must be a whole number from 1 to 3600",
        "imap.hots: unknown key, did you mean 'host'?",
        "nowhere: unknown key",
    )


# Secrets in files


def test_a_secret_can_be_read_from_a_file(folder: Path) -> None:
    (folder / "imap.secret").write_text("  kept as it is \n")
    (folder / "smtp.secret").write_text("no line end")
    (folder / "db.secret").write_bytes(b"sqlite:///one.db\r\n")
    text = SMALL.replace('password = "in-the-file"', f'password_file = "{folder}/imap.secret"')
    config = load_config(
        written(folder, text),
        {
            "MAILBOT_SMTP__USERNAME": "desk",
            "MAILBOT_SMTP__PASSWORD_FILE": "smtp.secret",
            "MAILBOT_DATABASE__URL_FILE": "db.secret",
        },
    )
    assert config.imap.password.get_secret_value() == "  kept as it is "
    assert config.smtp.password is not None
    assert config.smtp.password.get_secret_value() == "no line end"
    assert config.database_url == "sqlite:///one.db"


def test_only_the_last_line_end_of_a_secret_file_is_removed(folder: Path) -> None:
    (folder / "imap.secret").write_text("ends in a line end\n\n")
    text = SMALL.replace('password = "in-the-file"', 'password_file = "imap.secret"')
    assert load_config(written(folder, text), {}).imap.password.get_secret_value() == "ends in a line end\n"


def test_a_secret_given_twice_is_a_fault(folder: Path) -> None:
    told = faults(written(folder), MAILBOT_IMAP__PASSWORD_FILE="imap.secret")
    assert told == ("imap.password, imap.password_file: both are given, must be one of them",)


# The example


def test_the_example_configuration_is_valid(folder: Path) -> None:
    config = load_config(EXAMPLE, {})
    assert config.mailbot.address == "licences@example.com"


def test_the_example_configuration_has_every_key_with_its_default() -> None:
    lines = [line.removeprefix("#").strip() for line in EXAMPLE.read_text().splitlines()]
    shown = {line.partition(" = ")[0] for line in lines if " = " in line}
    for section, outer in Config.model_fields.items():
        model = outer.annotation
        for key in getattr(model, "model_fields", {}):
            assert key in shown, f"{section}.{key}"
    defaults = {
        "poll_seconds": "60",
        "connections": "4",
        "raw_mb": "45",
        "raw_days": "365",
        "replies_per_sender_per_day": "10",
        "replies_to_unknown_per_hour": "60",
        "staff_reminder_hours": "24",
        "digest_at": '"08:00"',
        "customer_reminder_days": "3",
        "close_after_days": "14",
        "key_days": "30",
    }
    for key, value in defaults.items():
        assert any(line.partition("  ")[0].strip() == f"{key} = {value}" for line in lines), key


def test_the_licence_server_section_is_optional_and_its_secret_can_be_in_a_file(folder: Path) -> None:
    assert load_config(written(folder, SMALL), {}).licence_server is None
    (folder / "server.secret").write_text("0123456789abcdef\n")
    text = SMALL + '[licence_server]\nurl = "https://a.example/x"\n' + f'secret_file = "{folder / "server.secret"}"\n'
    server = load_config(written(folder, text), {}).licence_server
    assert server is not None
    assert server.secret.get_secret_value() == "0123456789abcdef"
    assert "0123456789abcdef" not in repr(server)
    environ = {"MAILBOT_LICENCE_SERVER__URL": "http://127.0.0.1:9/x", "MAILBOT_LICENCE_SERVER__SECRET": "x" * 16}
    assert load_config(written(folder, SMALL), environ).licence_server.url == "http://127.0.0.1:9/x"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('url = "http://a.example/x"\nsecret = "0123456789abcdef"', "licence_server.url"),
        ('url = "a.example"\nsecret = "0123456789abcdef"', "licence_server.url"),
        ('url = "https://a.example"\nsecret = "short"', "licence_server.secret"),
        ('secret = "0123456789abcdef"', "licence_server.url: missing"),
    ],
)
def test_faults_of_the_licence_server_section(folder: Path, lines: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(folder, f"{SMALL}[licence_server]\n{lines}\n"), {})
    assert len(caught.value.faults) == 1
    assert said in caught.value.faults[0]
    assert "0123456789abcdef" not in str(caught.value)
