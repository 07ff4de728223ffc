"""For the time of the redesign only: the old names of what is part of an identity, so that no random number changes.

The identity of a point (``netsim.sweep.grid.point_key``) is made of class names, field names and string values, and
the identity of a random stream of its name. Whoever renames one of these writes the old name here. The last step of the
redesign deletes this file.
"""

CLASSES: dict[str, str] = {}
"""New class name (``__qualname__``): old class name."""

FIELDS: dict[str, str] = {
    "timing.Delay.distribution": "law",
    "timing.Jitter.distribution": "law",
    **{f"{s}.Params.tie_break": "ties" for s in ("setup", "syn_flood", "teardown", "time_wait", "two_way")},
}
"""``module.Class.new_field`` (the last part of the module's name): old field name. ``teardown.Params.unsent_bytes``."""

VALUES: dict[str, dict[str, str]] = {}
"""``module.Class.new_field``: {new string value: old string value}."""

STREAMS: dict[str, str] = {"tie_break": "ties"}
"""New name of a random stream (or its part after the last "/"): old name."""


def field(owner: type, name: str) -> str:
    """The old name of a field."""
    return FIELDS.get(_place(owner, name), name)


def value(owner: type, name: str, now: object) -> object:
    """The old value of a field."""
    return VALUES.get(_place(owner, name), {}).get(now, now) if isinstance(now, str) else now


def stream(name: str) -> str:
    """The old name of a random stream."""
    head, slash, tail = name.rpartition("/")
    return STREAMS.get(name) or f"{head}{slash}{STREAMS.get(tail, tail)}"


def _place(owner: type, name: str) -> str:
    return f"{owner.__module__.rpartition('.')[2]}.{owner.__qualname__}.{name}"
