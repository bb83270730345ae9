"""Reads the configuration: the TOML file, the environment that overrides it, and the files that hold secrets.

The result is one dict, as if everything were in the file, and what could not be read. ``config.settings`` validates it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr

from mailbot.core.base.config_faults import table, wrong

PREFIX = "MAILBOT_"
DEFAULT = Path("mailbot.toml")


@dataclass
class RawConfig:
    """What was read: ``source`` (a name for messages), the sections in ``raw``, and one sentence per fault.

    ``complete`` is False if the file could not be read; then no other fault is looked for.
    """

    source: str
    raw: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    complete: bool = True


def read_config(path: Path | None, environ: Mapping[str, str], root: type[BaseModel]) -> RawConfig:
    """File, environment and secret files in one dict; the model ``root`` says which keys are lists, numbers or secrets.

    No file is needed if the environment sets any key.
    """
    settings = {name: text for name, text in environ.items() if name.startswith(PREFIX) and "__" in name}
    named = path or (Path(environ["MAILBOT_CONFIG"]) if environ.get("MAILBOT_CONFIG") else None)
    if named is None and settings and not DEFAULT.exists():
        reading = RawConfig("the environment")
    else:
        reading = _file(named or DEFAULT)
    if reading.complete:
        for name, text in sorted(settings.items()):
            _set_from_environment(reading, name, text, root)
        for section, key in _secrets(root):
            _secret_file(reading, section, key)
    return reading


def _file(path: Path) -> RawConfig:
    reading = RawConfig(str(path))
    try:
        found = table(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        found = f"not valid TOML: not UTF-8 at byte {error.start}"
    except OSError as error:
        found = f"cannot be read: {error.strerror} (name the file with -c, MAILBOT_CONFIG, or make {DEFAULT})"
    if isinstance(found, str):
        reading.faults.append(found)
        reading.complete = False
    else:
        reading.raw = found
    return reading


def _set_from_environment(reading: RawConfig, name: str, text: str, root: type[BaseModel]) -> None:
    """Set the value of a variable MAILBOT_SECTION__KEY or, for a list, MAILBOT_STAFF__1__ADDRESS, counted from 1."""
    section, *steps = name.removeprefix(PREFIX).lower().split("__")
    here = reading.raw.setdefault(section, [] if _is_list(root, section) else {})
    if isinstance(here, list) and len(steps) == 2 and steps[0].isascii() and steps[0].isdigit():
        number = int(steps[0])
        if not 1 <= number <= len(here) + 1:
            reading.faults.append(f"{name}: must be numbered from 1 without gaps, but {len(here)} precede it")
            return
        here.extend([{}] * (number > len(here)))
        here, steps = here[number - 1], steps[1:]
    if not isinstance(here, dict) or len(steps) != 1:
        reading.faults.append(f"{name}: unknown, must be MAILBOT_SECTION__KEY or MAILBOT_STAFF__1__KEY")
        return
    here[steps[0]] = _typed(text, _kind(root, section, steps[0]))


def _typed(text: str, kind: Any) -> Any:
    """The text as the type that TOML would give it; text that does not fit stays text and fails validation."""
    digits = text.strip().removeprefix("-")
    if kind is int and digits.isascii() and digits.isdigit() and len(digits) < 20:
        return int(text)
    if kind is bool and text.strip().lower() in ("true", "false"):
        return text.strip().lower() == "true"
    if get_origin(kind) is tuple:
        return [one.strip() for one in text.split(",") if one.strip()]
    return text


def _secret_file(reading: RawConfig, section: str, key: str) -> None:
    """Replace the key "KEY_file" by KEY with the content of that file, without its last line end."""
    here = reading.raw.get(section)
    name = here.pop(f"{key}_file", None) if isinstance(here, dict) else None
    if not isinstance(here, dict) or name is None:
        return
    where = f"{section}.{key}_file"
    if key in here:
        reading.faults.append(f"{section}.{key}, {where}: both are given, must be one of them")
        return
    here[key] = "not read"  # placeholder, so that the key is not reported as missing too
    if not isinstance(name, str):
        reading.faults.append(wrong(where, name, "the path of a file"))
        return
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        reading.faults.append(wrong(where, name, f"a file that can be read ({reason})"))
        return
    secret = text.removesuffix("\n").removesuffix("\r")
    if secret:
        here[key] = secret
    else:
        reading.faults.append(wrong(where, name, f"a file that holds the {key} (it is empty)"))


def _secrets(root: type[BaseModel]) -> Iterator[tuple[str, str]]:
    for section, outer in root.model_fields.items():
        model = _section_of(outer.annotation)
        if isinstance(model, type) and issubclass(model, BaseModel):
            for key, inner in model.model_fields.items():
                if inner.annotation is SecretStr or SecretStr in get_args(inner.annotation):
                    yield section, key


def _section_of(annotation: Any) -> Any:
    """The model of an optional section (SECTION | None)."""
    return (
        next((one for one in get_args(annotation) if one is not type(None)), annotation)
        if get_origin(annotation) is UnionType
        else annotation
    )


def _is_list(root: type[BaseModel], section: str) -> bool:
    return section in root.model_fields and get_origin(root.model_fields[section].annotation) is tuple


def _kind(root: type[BaseModel], section: str, key: str) -> Any:
    """The type of a key in a section or in a list of sections; None for an unknown key."""
    model: Any = root.model_fields[section].annotation if section in root.model_fields else None
    model = get_args(model)[0] if get_origin(model) is tuple else _section_of(model)
    return model.model_fields[key].annotation if model and key in model.model_fields else None
