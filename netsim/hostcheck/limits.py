"""What the settings of a host amount to: how many half-open connections, for how long, how many connections a second.

Linux's rules are those of 6.18: net/ipv4/tcp_input.c (tcp_conn_request), net/ipv4/inet_connection_sock.c
(reqsk_timer_handler), include/net/sock.h (sk_acceptq_is_full). Other hosts: as this model's listener has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import linux

LEAST_RETRIES: Final = 2  # pruning leaves a half-open connection at least so many SYN-ACK retransmissions
_LEAST_PRUNED: Final = 8  # entries; pruning takes a smaller backlog for so many


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """A host as its administrator sees it.

    ``backlog`` is what the application hands to listen(); ``given`` the settings that were written down, by name. The
    rest is what ``TcpConfig`` does not have: ``tcp_tw_reuse`` and its delay (s), ``tcp_max_tw_buckets``.
    """

    config: TcpConfig = field(default_factory=linux)
    backlog: int = 4096
    tw_reuse: int = 2
    tw_reuse_delay: float = 1.0
    max_tw_buckets: int = 262_144
    given: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def is_linux(self) -> bool:
        """Whether Linux's own rules hold."""
        return self.config.name.startswith("linux")

    @property
    def listen_backlog(self) -> int:
        """What is left of the backlog: somaxconn cuts it."""
        return min(self.backlog, self.config.somaxconn)


@dataclass(frozen=True, slots=True)
class Limits:
    """What binds. Times in seconds, rates per second; None where there is no such limit.

    accept_queue: connections that may wait for accept(). syn_queue: half-open ones, and by which setting. when_full:
    what becomes of the next SYN. half_open_lifetime: of an entry that nobody answers; pruned_lifetime: its least, while
    more than pruning_above are there. fill_rate: SYNs a second that keep the queue full; pruned_fill_rate: with entries
    of the pruned lifetime. ports, time_wait, reuse_delay: what an end that closes first has; connect_rate: connections
    a second that it can open to one address and port. time_wait_rate: closes a second beyond which TIME-WAIT is cut
    short. connect_gives_up: after how long an unanswered connect() fails.
    """

    accept_queue: int
    accept_queue_set_by: str
    syn_queue: int | None
    syn_queue_set_by: str
    when_full: str
    half_open_lifetime: float
    pruning_above: int | None
    pruned_lifetime: float | None
    fill_rate: float | None
    pruned_fill_rate: float | None
    ports: int
    time_wait: float
    reuse_delay: float | None
    connect_rate: float
    time_wait_rate: float | None
    connect_gives_up: float


def limits(host: HostSettings) -> Limits:
    """Every limit of this host."""
    config = host.config
    queue, queue_set_by = _syn_queue(host)
    lifetime = sum(config.synack_intervals())
    above = _pruning_above(host, queue)
    pruned = sum(config.synack_intervals()[: LEAST_RETRIES + 1]) if above is not None else None
    reuse = host.tw_reuse_delay if host.is_linux and host.tw_reuse == 1 and config.timestamps else None
    ports = number_of_ports(config)
    held = config.time_wait if reuse is None else min(reuse, config.time_wait)
    return Limits(
        accept_queue=max(1, host.listen_backlog + config.backlog_slack),
        accept_queue_set_by=_backlog_set_by(host),
        syn_queue=queue,
        syn_queue_set_by=queue_set_by,
        when_full="a SYN cookie answers" if config.syn_cookies != "off" else "it is dropped",
        half_open_lifetime=lifetime,
        pruning_above=above,
        pruned_lifetime=pruned,
        fill_rate=queue / lifetime if queue is not None else None,
        pruned_fill_rate=queue / pruned if queue is not None and pruned is not None else None,
        ports=ports,
        time_wait=config.time_wait,
        reuse_delay=reuse,
        connect_rate=ports / held if held else float("inf"),
        time_wait_rate=host.max_tw_buckets / config.time_wait if host.is_linux and config.time_wait else None,
        connect_gives_up=min(sum(config.syn_intervals()), config.open_timeout or float("inf")),
    )


def number_of_ports(config: TcpConfig) -> int:
    """Local ports that an active OPEN can choose from."""
    return len(config.ports)


def three_quarters(max_syn_backlog: int) -> int:
    """Half-open entries at which Linux without cookies keeps the rest for peers it knows: one more than 3/4."""
    return max_syn_backlog - (max_syn_backlog >> 2) + 1


def _backlog_set_by(host: HostSettings) -> str:
    if host.backlog > host.config.somaxconn:
        return f"net.core.somaxconn {host.config.somaxconn}, below the backlog {host.backlog}"
    return f"the listen backlog {host.backlog}"


def _syn_queue(host: HostSettings) -> tuple[int | None, str]:
    """How many half-open connections fit, and by which setting."""
    config = host.config
    most = config.max_syn_backlog
    if config.syn_cookies == "always":
        return None, "every SYN is answered with a cookie, none is kept"
    by_backlog = max(1, host.listen_backlog + config.backlog_slack), _backlog_set_by(host)
    quarter = config.max_syn_backlog_rule == "reserve-quarter"
    if most is None or (quarter and config.syn_cookies != "off"):
        return by_backlog
    if quarter:
        by_reserve = three_quarters(most), f"3/4 of net.ipv4.tcp_max_syn_backlog {most}"
    else:
        by_reserve = max(1, most + config.backlog_slack), f"max_syn_backlog {most}"
    return min(by_backlog, by_reserve, key=lambda limit: limit[0])


def _pruning_above(host: HostSettings, queue: int | None) -> int | None:
    """How many half-open entries there must be, at least, for one that times out to lose retransmissions; None: never.

    Linux: 2 qlen > max(8, backlog), and more than ``LEAST_RETRIES`` to lose.
    """
    if not host.config.synack_pruning or queue is None or host.config.synack_retries <= LEAST_RETRIES:
        return None
    above = max(_LEAST_PRUNED, host.listen_backlog) // 2
    return above if queue > above else None
