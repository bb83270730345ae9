"""Changed copies of frozen dataclasses with many fields. mypy checks names and types as for the standard replace."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import replace
else:

    def replace(one: Any, **changes: Any) -> Any:
        """A copy of ``one`` with those fields changed; for dataclasses without slots and post-init code.

        Five times as fast as the standard one, which sets every field again: a mail changes its ticket a dozen times.
        """
        fields = one.__dict__
        if not changes.keys() <= fields.keys():
            msg = f"{type(one).__name__} has no field {', '.join(sorted(changes.keys() - fields.keys()))}"
            raise TypeError(msg)
        copy = object.__new__(type(one))
        copy.__dict__.update(fields, **changes)
        return copy


__all__ = ["replace"]
