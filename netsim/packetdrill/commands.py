"""Commands in back-quotes: recognised by pattern and carried out on the model. Nothing is ever executed.

A setting of ``sysctl`` holds for sockets that are opened after it.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from netsim.packetdrill.calls import Calls
from netsim.packetdrill.exchange import Exchange
from netsim.packetdrill.script import Command
from netsim.packetdrill.verdict import Failure, Unsupported
from netsim.tcp import user_calls
from netsim.tcp.config import TcpConfig
from netsim.tcp.state import State

# (the configuration now, the profile's own, the number written) -> the configuration from now on
Change = Callable[[TcpConfig, TcpConfig, int], TcpConfig]


def _rexmit(config: TcpConfig, *, initial: float | None = None, slop: float | None = None) -> TcpConfig:
    back_off = config.syn_backoff
    back_off = replace(
        back_off,
        initial=back_off.initial if initial is None else initial,
        slop=back_off.slop if slop is None else slop,
    )
    rto = config.rto_initial if initial is None else initial
    return config.replace(syn_backoff=back_off, synack_backoff=back_off, rto_initial=rto)


def _rfc1323(config: TcpConfig, own: TcpConfig, value: int) -> TcpConfig:
    """0: neither option; 1: both; 2: window scaling alone; 3: timestamps alone (sys/netinet/tcp_input.c)."""
    scale = config.window_scale if config.window_scale is not None else own.window_scale
    return config.replace(window_scale=scale if value in (1, 2) else None, timestamps=value in (1, 3))


def _max_socket_buffer(config: TcpConfig, own: TcpConfig, value: int) -> TcpConfig:
    """The shift offered: the least that reaches the greatest buffer (sys/netinet/tcp_input.c, tcp_syncache.c)."""
    if config.window_scale is None:
        return config
    return config.replace(window_scale=next((s for s in range(14) if 65535 << s >= value), 14))


_BSD: dict[str, Change] = {
    "net.inet.tcp.rfc1323": _rfc1323,
    "kern.ipc.maxsockbuf": _max_socket_buffer,
    "net.inet.tcp.insecure_rst": lambda c, own, v: c.replace(rst_policy="rfc793" if v else own.rst_policy),
    "net.inet.tcp.insecure_syn": lambda c, own, v: c.replace(syn_policy="rfc793" if v else own.syn_policy),
    "net.inet.tcp.drop_synfin": lambda c, own, v: c.replace(syn_fin="drop" if v else "accept"),
    "net.inet.tcp.sack.enable": lambda c, own, v: c.replace(sack=v != 0),
    "net.inet.tcp.recvspace": lambda c, own, v: c.replace(receive_buffer=v),
    "net.inet.tcp.sendspace": lambda c, own, v: c.replace(send_buffer=v),
    "net.inet.tcp.mssdflt": lambda c, own, v: c.replace(mss_default=v),
    "net.inet.tcp.msl": lambda c, own, v: c.replace(time_wait=v / 500),
    "net.inet.tcp.keepinit": lambda c, own, v: c.replace(connect_timeout=v / 1000),
    "net.inet.tcp.keepidle": lambda c, own, v: c.replace(keepalive_idle=v / 1000),
    "net.inet.tcp.keepintvl": lambda c, own, v: c.replace(keepalive_interval=v / 1000),
    "net.inet.tcp.keepcnt": lambda c, own, v: c.replace(keepalive_probes=v),
    "net.inet.tcp.delacktime": lambda c, own, v: c.replace(delayed_ack=v / 1000),
    "net.inet.tcp.rexmit_initial": lambda c, own, v: _rexmit(c, initial=v / 1000),
    "net.inet.tcp.rexmit_slop": lambda c, own, v: _rexmit(c, slop=v / 1000),
    "net.inet.tcp.tolerate_missing_ts": lambda c, own, v: c.replace(missing_timestamp="accept" if v else "drop"),
}

# Settings at which the model already is (None: whatever their value); any other value is not supported.
_FIXED: dict[str, set[str] | None] = {
    "net.inet.tcp.blackhole": {"0"},
    "net.inet.tcp.hostcache.purgenow": None,
    "net.inet.tcp.ecn.enable": {"0", "2"},
    "net.inet.tcp.ecn.maxretries": None,  # of no effect without ECN
    "net.inet.tcp.rexmit_drop_options": {"0"},
    "net.inet.tcp.syncookies": {"0", "1"},
    "net.inet.tcp.syncookies_only": {"0"},
    "net.inet.tcp.icmp_may_rst": None,  # of no effect before an ICMP message
    "net.ipv4.tcp_ecn": {"0", "2"},
    # the rest as defaults.sh of the kernel's suite sets it, and as the profile is
    "net.ipv4.tcp_rmem": {"4096 540000 15728640"},
    "net.ipv4.tcp_wmem": {"4096 262144 4194304"},
    "net.ipv4.tcp_dsack": {"1"},
    "net.ipv4.tcp_fack": {"0"},
    "net.ipv4.tcp_reordering": {"3"},
    "net.ipv4.tcp_slow_start_after_idle": {"0"},
    "net.ipv4.tcp_syncookies": {"1"},
    "net.ipv4.tcp_no_metrics_save": None,
    "net.ipv4.tcp_pacing_ss_ratio": None,  # when segments of one burst leave: the model's leave at once
    "net.ipv4.tcp_pacing_ca_ratio": None,
    "net.ipv4.tcp_min_tso_segs": None,
    "net.ipv4.tcp_notsent_lowat": {"4294967295"},
}

_LINUX: dict[str, Change] = {
    "net.ipv4.tcp_timestamps": lambda c, own, v: c.replace(timestamps=v != 0),
    "net.ipv4.tcp_sack": lambda c, own, v: c.replace(sack=v != 0),
    "net.ipv4.tcp_window_scaling": lambda c, own, v: c.replace(window_scale=own.window_scale if v else None),
    "net.ipv4.tcp_syn_retries": lambda c, own, v: c.replace(syn_retries=v),
    "net.ipv4.tcp_synack_retries": lambda c, own, v: c.replace(synack_retries=v),
    "net.ipv4.tcp_retries1": lambda c, own, v: c.replace(retries1=v),
    "net.ipv4.tcp_retries2": lambda c, own, v: c.replace(retries2=v),
    "net.ipv4.tcp_fin_timeout": lambda c, own, v: c.replace(fin_wait_2_timeout=float(v)),
    "net.ipv4.tcp_abort_on_overflow": lambda c, own, v: c.replace(abort_on_overflow=v != 0),
    "net.ipv4.tcp_rfc1337": lambda c, own, v: c.replace(time_wait_rst="ignore" if v else "accept"),
    "net.ipv4.tcp_rto_max_ms": lambda c, own, v: c.replace(rto_max=v / 1000),
}

# sys/netinet/tcp_fsm.h, tcpstates
_BSD_STATES = {
    "CLOSED": State.CLOSED,
    "LISTEN": State.LISTEN,
    "SYN_SENT": State.SYN_SENT,
    "SYN_RCVD": State.SYN_RECEIVED,
    "ESTABLISHED": State.ESTABLISHED,
    "CLOSE_WAIT": State.CLOSE_WAIT,
    "FIN_WAIT_1": State.FIN_WAIT_1,
    "CLOSING": State.CLOSING,
    "LAST_ACK": State.LAST_ACK,
    "FIN_WAIT_2": State.FIN_WAIT_2,
    "TIME_WAIT": State.TIME_WAIT,
}

_QUIET = re.compile(r"(?: ?(?:[12]?> ?/dev/null|2>&1))*$")
_SETTING = r"[\w./]+=(?:\"[^\"]*\"|'[^']*'|\S+)"
_SYSCTL = re.compile(rf"sysctl(?: -[wq]+)*((?: {_SETTING})+)")
_PROC = re.compile(rf"(?:\S*/)?set_sysctls\.py((?: {_SETTING})+)")
_PAIR = re.compile(r"([\w./]+)=(\"[^\"]*\"|'[^']*'|\S+)")
_DEFAULTS = re.compile(r"(?:(?:\.\.?/)*common/|\./)?defaults\.sh")
_SLEEP = re.compile(r"sleep (\d{1,6}(?:\.\d{1,6})?)")
_MUTE = re.compile(r"tc qdisc (?:add|replace) dev \S+ root pfifo limit 0")
_UNMUTE = re.compile(r"tc qdisc (?:del dev \S+ root(?: pfifo)?|(?:add|replace) dev \S+ root pfifo)")
_IDLE = re.compile(r"true|:|ethtool -K \S+(?: (?:tso|gso|gro|tx|rx|sg|lro) (?:on|off))+|ip tcp_metrics flush all|sync")
_NSTAT = re.compile(r"nstat(?: -[nasrz]+)*")
_COUNTER = re.compile(r"nstat(?: -[asz]+)* ?\| ?grep (?:-\w )?(\w+) ?\| ?grep -q [\"'] ?(\d+) ?[\"']")
_SOCKSTAT = re.compile(
    r"sockstat((?: -4| -P tcp| -s| -p \d{1,5})*)((?: ?\| ?grep packetdrill?)?) ?\| ?grep -c (\w+) ?\| ?grep (\d+)"
)
_TCPDROP = re.compile(r"tcpdrop -s TIME_WAIT")


def carry_out(command: Command, calls: Calls) -> None:
    """Do what ``command`` would. Failure where it would exit with an error; Unsupported if it is not known."""
    for simple in re.split(r"&&|;|\n", command.text):
        words = _QUIET.sub("", " ".join(simple.split()))
        if words and not words.startswith("#"):
            _one(words, command.line, calls)


def _one(words: str, line: int, calls: Calls) -> None:
    exchange = calls.exchange
    linux = exchange.host.tools == "linux"
    if _IDLE.fullmatch(words) or (linux and _DEFAULTS.fullmatch(words)):
        return
    if match := _SYSCTL.fullmatch(words) or _PROC.fullmatch(words):
        for name, value in _PAIR.findall(match[1]):
            _sysctl(name.removeprefix("/proc/sys/").replace("/", "."), value.strip("\"'"), line, exchange)
    elif match := _SOCKSTAT.fullmatch(words):
        _sockstat(match, line, calls)
    elif _TCPDROP.fullmatch(words):
        for tcb in list(exchange.stack.connections.values()):
            if tcb.state is State.TIME_WAIT:
                user_calls.abort(tcb, exchange.now)
        exchange.settle()
    elif match := _SLEEP.fullmatch(words):
        exchange.advance(exchange.now + round(float(match[1]) * 1e9))
    elif _MUTE.fullmatch(words):
        exchange.muted = True
    elif _UNMUTE.fullmatch(words):
        exchange.muted = False
    elif linux and (match := _COUNTER.fullmatch(words)):
        _nstat(match[1], int(match[2]), line, calls)
    elif linux and _NSTAT.fullmatch(words):
        calls.counted = exchange.stack.counters.as_dict()
    else:
        raise Unsupported(line, f"the command {words}")


def _nstat(name: str, wanted: int, line: int, calls: Calls) -> None:
    """nstat tells what has been counted since it was last called; a counter that stands still is not listed."""
    counters = calls.exchange.stack.counters.as_dict()
    if name not in counters:
        raise Unsupported(line, f"nstat with the counter {name}")
    count = counters[name] - calls.counted.get(name, 0)
    calls.counted = counters
    if count != wanted or not count:
        raise Failure(line, f"nstat tells another {name}", str(wanted), str(count))


def _sysctl(name: str, value: str, line: int, exchange: Exchange) -> None:
    host = exchange.host
    if host.tools == "linux" and name.startswith(("net.inet.", "kern.ipc.")):
        return  # another system's settings, in scripts written for both
    table = _LINUX if host.tools == "linux" else _BSD
    number = int(value) if re.fullmatch(r"\d{1,10}", value) else -1
    if name in _FIXED:
        allowed = _FIXED[name]
        if allowed is None or " ".join(value.split()) in allowed:
            return
    elif name in table and number >= 0:
        try:
            exchange.configure(table[name](exchange.stack.config, host.config, number))
        except ValueError as error:
            raise Unsupported(line, f"sysctl {name}={value}: {error}") from None
        return
    raise Unsupported(line, f"sysctl {name}={value}")


def _sockstat(match: re.Match[str], line: int, calls: Calls) -> None:
    """``grep -c`` counts sockets in a state; ``grep N`` finds N's digits in that count."""
    name, wanted = match[3], match[4]
    if name not in _BSD_STATES:
        raise Unsupported(line, f"sockstat with the state {name}")
    state = _BSD_STATES[name]
    port = re.search(r"-p (\d+)", match[1])
    if match[2]:
        sockets = [d.socket for d in calls.descriptors.values()]
        count = sum(s.state is state and (port is None or s.port == int(port[1])) for s in sockets)
    else:
        stack = calls.exchange.stack
        ports = [(t.flow.sport, t.flow.dport) for t in stack.connections.values() if t.state is state]
        ports += [(p, 0) for p in stack.listeners if state is State.LISTEN]
        count = sum(port is None or int(port[1]) in pair for pair in ports)
    if wanted not in str(count):
        raise Failure(line, f"sockstat counts another number of sockets in {name}", wanted, str(count))
