"""A configuration's durations as the core counts them."""

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Nanoseconds:
    """A configuration's durations in integer nanoseconds, worked out once."""

    syn_intervals: tuple[int, ...]
    synack_intervals: tuple[int, ...]
    rto_initial: int
    rto_min: int
    rto_max: int
    rto_variance_floor: int
    rto_after_syn_timeout: int | None
    clock_granularity: int
    open_timeout: int | None
    user_timeout: int | None
    delayed_ack: int | None
    keepalive_idle: int
    keepalive_interval: int
    time_wait: int
    fin_wait_2_timeout: int | None
    ts_tick: int
    invalid_ratelimit: int
    syn_rto_after_wrong_ack: int | None
    synack_ratelimit: int
    fast_open_synack_wait: int | None
    syn_cookie_recent: int | None


def _ns(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e9)


def in_nanoseconds(config: Any) -> Nanoseconds:
    """The durations of a ``TcpConfig``."""
    schedules = {"syn_intervals": config.syn_intervals(), "synack_intervals": config.synack_intervals()}
    durations: dict[str, Any] = {name: tuple(map(_ns, schedule)) for name, schedule in schedules.items()}
    for f in dataclasses.fields(Nanoseconds):
        if f.name not in durations:
            durations[f.name] = _ns(getattr(config, f.name))
    return Nanoseconds(**durations)
