"""The shipped catalogue, for every test that needs one."""

from functools import cache
from pathlib import Path

from mailbot.core.catalogue import contents as core


@cache
def catalogue() -> core.Catalogue:
    read = core.parse_catalogue((Path(core.__file__).parents[2] / "xcally.toml").read_text())
    assert isinstance(read, core.Catalogue), read
    return read
