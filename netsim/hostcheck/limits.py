"""The limits of a host: the sizes of its queues, the lifetime of a SYN-RECEIVED entry, connections per second."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import linux
from netsim.tcp.listening.listener import syn_queue_limit

PRUNED_RETRIES: Final = 2  # SYN-ACK retransmissions that pruning leaves to a SYN-RECEIVED entry
_SMALLEST_PRUNED_BACKLOG: Final = 8  # pruning treats a smaller backlog as this one


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """A host as its administrator sees it.

    ``backlog`` is the application's argument of listen(). ``given`` has the settings that were written down, by name.
    The rest is not part of ``TcpConfig``: ``tcp_tw_reuse`` and its delay (s), and ``tcp_max_tw_buckets``.
    """

    config: TcpConfig = field(default_factory=linux)
    backlog: int = 4096
    tw_reuse: int = 2
    tw_reuse_delay: float = 1.0
    max_tw_buckets: int = 262_144
    given: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def is_linux(self) -> bool:
        """Whether the rules of Linux hold."""
        return self.config.name.startswith("linux")

    @property
    def listen_backlog(self) -> int:
        """The backlog that the listener gets: somaxconn cuts the application's."""
        return min(self.backlog, self.config.somaxconn)

    @property
    def accept_queue(self) -> int:
        """Connections that may wait for accept()."""
        return max(1, self.listen_backlog + self.config.backlog_slack)

    @property
    def pruning_above(self) -> int:
        """SYN-RECEIVED entries above which Linux prunes their retransmissions: half the backlog."""
        return max(_SMALLEST_PRUNED_BACKLOG, self.listen_backlog) // 2


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a host. Times are in seconds, rates per second; None means that there is no such limit.

    - accept_queue: connections that may wait for accept(), and the setting that decides it;
    - syn_queue: SYN-RECEIVED entries of a listener, the setting that decides it, and what happens to a further SYN;
    - syn_received_lifetime: how long an entry lives whose SYN-ACKs nobody answers;
    - pruned_lifetime: the shortest lifetime while there are more than ``pruning_above`` entries;
    - fill_rate: SYNs per second that keep the SYN queue full; pruned_fill_rate: the same if all entries are pruned;
    - connect_rate: connections per second to one address and port if this host closes first, which follows from its
      ``ports`` and how long TIME-WAIT holds each: ``time_wait``, or ``reuse_delay`` if tcp_tw_reuse frees it earlier;
    - close_rate: closes per second above which connections skip TIME-WAIT, because tcp_max_tw_buckets is reached;
    - connect_timeout: time after which a connect() fails that nobody answers.
    """

    accept_queue: int
    accept_queue_set_by: str
    syn_queue: int | None
    syn_queue_set_by: str
    when_full: str
    syn_received_lifetime: float
    pruning_above: int | None
    pruned_lifetime: float | None
    fill_rate: float | None
    pruned_fill_rate: float | None
    ports: int
    time_wait: float
    reuse_delay: float | None
    connect_rate: float
    close_rate: float | None
    connect_timeout: float


def limits(host: HostSettings) -> Limits:
    """Every limit of this host."""
    config = host.config
    queue, queue_set_by = _syn_queue(host)
    intervals = config.synack_intervals()
    lifetime, pruned = sum(intervals), sum(intervals[: PRUNED_RETRIES + 1]) if prunes(host) else None
    reuse = host.tw_reuse_delay if host.is_linux and host.tw_reuse == 1 and config.timestamps else None
    ports = len(config.ports)
    held = config.time_wait if reuse is None else min(reuse, config.time_wait)
    return Limits(
        accept_queue=host.accept_queue,
        accept_queue_set_by=_backlog_set_by(host),
        syn_queue=queue,
        syn_queue_set_by=queue_set_by,
        when_full="it is answered with a SYN cookie" if config.syn_cookies != "off" else "it is dropped",
        syn_received_lifetime=lifetime,
        pruning_above=host.pruning_above if pruned is not None else None,
        pruned_lifetime=pruned,
        fill_rate=queue / lifetime if queue is not None else None,
        pruned_fill_rate=queue / pruned if queue is not None and pruned is not None else None,
        ports=ports,
        time_wait=config.time_wait,
        reuse_delay=reuse,
        connect_rate=ports / held if held else float("inf"),
        close_rate=host.max_tw_buckets / config.time_wait if host.is_linux and config.time_wait else None,
        connect_timeout=min(sum(config.syn_intervals()), config.open_timeout or float("inf")),
    )


def prunes(host: HostSettings) -> bool:
    """Whether pruning ever shortens an entry's lifetime: the SYN queue can hold more than ``pruning_above`` entries."""
    config = host.config
    if not config.synack_pruning or config.syn_cookies == "always" or config.synack_retries <= PRUNED_RETRIES:
        return False
    return syn_queue_limit(config, host.listen_backlog) > host.pruning_above


def _backlog_set_by(host: HostSettings) -> str:
    if host.backlog > host.config.somaxconn:
        return f"net.core.somaxconn {host.config.somaxconn}, below the backlog {host.backlog}"
    return f"the listen backlog {host.backlog}"


def _syn_queue(host: HostSettings) -> tuple[int | None, str]:
    """The number of SYN-RECEIVED entries that fit, and the setting that decides it."""
    config = host.config
    if config.syn_cookies == "always":
        return None, "every SYN is answered with a cookie, no entry is kept"
    entries = syn_queue_limit(config, host.listen_backlog)
    if entries == host.accept_queue:
        return entries, _backlog_set_by(host)
    if config.max_syn_backlog_rule == "reserve-quarter":
        return entries, f"3/4 of net.ipv4.tcp_max_syn_backlog {config.max_syn_backlog}"
    return entries, f"max_syn_backlog {config.max_syn_backlog}"
