"""What an operator installs: the systemd unit, the container image, the files of the wheel."""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.support.paths import ROOT

UNIT = ROOT / "docs" / "mailbot.service"


def setting(name: str) -> list[str]:
    lines = (line.partition("=") for line in UNIT.read_text().splitlines() if not line.startswith("#"))
    return [value for key, _, value in lines if key == name]


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("systemd-analyze is not installed")
    program = tmp_path / "mailbot"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "mailbot.service"
    unit.write_text(UNIT.read_text().replace("/opt/mailbot/bin/mailbot", str(program)))
    done = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "mailbot" in line]
    assert (done.returncode, ours) == (0, [])


def test_the_unit_runs_the_desk_and_gives_it_time_to_stop() -> None:
    assert setting("ExecStart") == ["/opt/mailbot/bin/mailbot run -c /etc/mailbot/mailbot.toml"]
    assert setting("Restart") == ["on-failure"]
    assert setting("TimeoutStopSec") == ["60"]
    assert setting("StateDirectory") == ["mailbot"]


def test_the_unit_can_write_nowhere_else() -> None:
    assert setting("ProtectSystem") == ["strict"]
    assert setting("NoNewPrivileges") == ["yes"]
    assert setting("CapabilityBoundingSet") == [""]
    assert setting("User") == ["mailbot"]


def test_the_image_does_not_run_as_root() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER mailbot" in lines
    assert "VOLUME /var/lib/mailbot" in lines


def test_the_image_gets_what_the_wheel_is_built_from_and_nothing_else() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert kept == {
        "LICENSE",
        "pyproject.toml",
        project["project"]["readme"],
        *wheel["packages"],
        *wheel["force-include"],
    }


def test_every_file_that_the_readme_names_is_there() -> None:
    table = (ROOT / "README.md").read_text().partition("## Where things are")[2]
    named = [name for name in table.split("`")[1::2] if "/" in name]
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []
