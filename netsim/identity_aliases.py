"""For the time of the redesign only: the old names of what is part of an identity, so that no random number changes.

The identity of a point (``netsim.sweep.grid.point_key``) is made of class names, field names and string values, and
the identity of a random stream of its name. Whoever renames one of these writes the old name here. The last step of the
redesign deletes this file.
"""

_TCP_CONFIG = {
    "abort_rst_ack": "abort_ack",
    "abort_rst_timestamps": "reset_timestamps",
    "ack_every_second": "ack_second",
    "delayed_ack_timer": "ack_clock",
    "fin_on_every_ack": "fin_repeat",
    "keepalive_rst": "timeout_reset",
    "nagle_minshall": "nagle_small",
    "rto_after_syn_timeout_rule": "rto_fallback",
    "syn_drop_options_after": "syn_plain_after",
    "syn_queue_entry_bytes": "half_open_bytes",
    "syn_rto_after_wrong_ack": "wrong_ack_repeat",
    "synack_echo_check": "syn_echo_check",
    "tail_loss_probe": "loss_probe",
    "time_wait_checks": "time_wait_input",
    "ts_recent_update": "ts_recent",
}
_TCP_CONFIG_VALUES = {
    "ack_every_second": {"full-sized": "full", "any-size": "any"},
    "crossed_synack": {"accept": "figure", "refuse": "literal", "accept-and-ack": "linux"},
    "delayed_ack_timer": {"fixed": "plain", "adaptive": "linux"},
    "icmp_hard": {"unreachable-or-prohibited": "bsd"},
    "icmp_opening": {"hard-or-repeated": "bsd"},
    "initial_window_after_loss": {"two-retransmissions": "linux"},
    "loss_response": {"prr": "proportional"},
    "max_syn_backlog_rule": {"reserve-quarter": "quarter"},
    "old_segment": {"process-ack": "ack"},
    "reset_errors": {"refused-or-reset": "bsd", "reset-or-broken-pipe": "linux"},
    "rto_after_syn_timeout_rule": {"retransmitted": "timer", "no-rtt-sample": "no sample"},
    "syn_data": {"queue": "hold", "queue-active-open": "hold-active"},
    "time_wait_checks": {"no-window": "bsd"},
    "time_wait_open": {"replace-after-1s": "linux"},
    "time_wait_reuse": {"sequence-or-timestamp": "linux", "sequence": "bsd"},
    "zero_window_probe": {"one-byte": "text"},
}

CLASSES: dict[str, str] = {"CounterIsn": "BsdIsn", "TimestampCookie": "LinuxCookie"}
"""New class name (``__qualname__``): old class name."""

_WITH_TIE_BREAK = ("setup", "syn_flood_parameters", "teardown_parameters", "time_wait", "two_way")

FIELDS: dict[str, str] = {
    "setup.Params.loss_burst": "burst",
    "setup.Params.client_sends": "client_speaks",
    "stale.Params.msl": "lifetime",
    "stale.Params.data_bytes": "size",
    "stale.Params.data_rate": "rate",
    "stale.Params.port_selection": "ports",
    "reincarnation.Params.data_rate": "rate",
    "reincarnation.Params.msl": "lifetime",
    "reincarnation.Params.receive_window": "window",
    "two_way.Params.msl": "lifetime",
    "two_way.Params.service_time": "life",
    "two_way.Params.server_memory": "memory",
    "two_way.Params.client_after": "afterwards",
    "two_way.Params.server_ends_with": "ending",
    "ports.Params.local_ports": "ports",
    "ports.Params.connection_rate": "rate",
    "ports.Params.connection_duration": "held",
    "ports.Params.observation_time": "window",
    "restart.Params.downtime": "pause",
    "restart.Params.retry_interval": "retry",
    "reopen.Params.request_bytes": "request",
    "assassination.Params.data_segments": "segments",
    "teardown_parameters.Params.think_time": "think",
    "teardown_parameters.Params.unsent_bytes": "left",
    "syn_flood_parameters.Params.burst_size": "burst",
    "syn_flood_parameters.Params.service_time": "service",
    "syn_flood_parameters.Params.client_rate": "legit_rate",
    "syn_flood_parameters.Params.warm_up": "warmup",
    "syn_flood_parameters.Params.observation_time": "horizon",
    "half_open.Params.failure": "accident",
    "half_open.Params.failed_end": "victim",
    "half_open.Params.detected_by": "found_by",
    "half_open.Params.run_duration": "horizon",
    "blind.Params.guessing": "guesses",
    "blind.Params.receive_window": "window",
    "blind.Params.payload_bytes": "length",
    "blind.Params.sequence_space": "space",
    "blind.Params.max_segments": "segments",
    "blind.Params.attack_rate": "rate",
    "blind.Params.client_ports": "ports",
    "forged_open.Params.background_rate": "others",
    "syn_data.Params.attack_bytes": "attack_text",
    "syn_data.Params.client_rate": "legit_rate",
    "syn_data.Params.request_bytes": "request",
    "syn_data.Params.response_bytes": "response",
    "syn_data.Params.attack_duration": "horizon",
    "timing.Delay.distribution": "law",
    "timing.Jitter.distribution": "law",
    "script.Fault.action": "do",
    **{f"config.TcpConfig.{new}": old for new, old in _TCP_CONFIG.items()},
    **{f"{s}.Params.tie_break": "ties" for s in _WITH_TIE_BREAK},
}
"""``module.Class.new_field`` (the last part of the module's name): old field name. ``teardown.Params.unsent_bytes``."""

VALUES: dict[str, dict[str, str]] = {
    **{f"config.TcpConfig.{name}": values for name, values in _TCP_CONFIG_VALUES.items()},
}
"""``module.Class.new_field``: {new string value: old string value}."""

STREAMS: dict[str, str] = {"tie_break": "ties", "background_rate": "others"}
"""New name of a random stream (or its part after the last "/"): old name."""


POINTS: dict[str, str] = {"population Linux 6.18 rules": "population Linux's rules"}
"""New name of a point that is named by hand: old name."""


CLAUSES: dict[str, str] = {
    "RFC 4987 3.4: evicted": "RFC 4987 3.4: driven out",
    "TCP_DEFER_ACCEPT: no data yet": "TCP_DEFER_ACCEPT: no text yet",
    "3.10.7.4, seventh: segment text": "3.10.7.4, seventh: text",
}
"""New identifier of a clause (netsim/tcp/clauses.py): the old one, as it enters a trace's digest."""


def field(owner: type, name: str) -> str:
    """The old name of a field."""
    return FIELDS.get(_place(owner, name), name)


def value(owner: type, name: str, now: object) -> object:
    """The old value of a field."""
    return VALUES.get(_place(owner, name), {}).get(now, now) if isinstance(now, str) else now


def point(name: str) -> str:
    """The old name of a point that is named by hand."""
    return POINTS.get(name, name)


def stream(name: str) -> str:
    """The old name of a random stream."""
    head, slash, tail = name.rpartition("/")
    return STREAMS.get(name) or f"{head}{slash}{STREAMS.get(tail, tail)}"


def _place(owner: type, name: str) -> str:
    return f"{owner.__module__.rpartition('.')[2]}.{owner.__qualname__}.{name}"
