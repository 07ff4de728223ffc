"""getsockopt and setsockopt: names of socket options, and where their values live in the model."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from netsim.referees.packetdrill.language.script import Call, Expression, Items, Name, Number, Structure, Unchecked
from netsim.referees.packetdrill.system_calls.connections import set_connect
from netsim.referees.packetdrill.system_calls.errno import errno_of, same
from netsim.referees.packetdrill.system_calls.error_queue import Notices, asked_for
from netsim.referees.packetdrill.system_calls.process import Result, names, pointed
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.socket import Socket

if TYPE_CHECKING:
    from netsim.referees.packetdrill.system_calls.calls import Calls

Change = Callable[[TcpConfig, int], TcpConfig]


def _without_options(config: TcpConfig) -> TcpConfig:
    return config.replace(announce_mss=False, window_scale=None, timestamps=False, sack=False)


def _fast_open(config: TcpConfig, value: int) -> TcpConfig:
    """For a listener the value is the most connections that wait for their handshake's end."""
    return config.replace(fast_open="both", fast_open_queue=value) if value else config.replace(fast_open="off")


# Options that a socket takes before it is opened: the TcpConfig it then has.
_BEFORE_OPEN: dict[str, Change] = {
    "SO_RCVBUF": lambda config, value: config.replace(receive_buffer=value),
    "SO_SNDBUF": lambda config, value: config.replace(send_buffer=value),
    "SO_KEEPALIVE": lambda config, value: config.replace(keepalive=value != 0),
    "TCP_NODELAY": lambda config, value: config.replace(nagle=value == 0),
    "TCP_CORK": lambda config, value: config.replace(cork=value != 0),
    "TCP_MAXSEG": lambda config, value: config.replace(mss=value),
    "TCP_NOOPT": lambda config, value: _without_options(config) if value else config,
    "TCP_FASTOPEN": lambda config, value: _fast_open(config, value),
    "TCP_KEEPINIT": lambda config, value: config.replace(connect_timeout=float(value)),
    "TCP_KEEPIDLE": lambda config, value: config.replace(keepalive_idle=float(value)),
    "TCP_KEEPINTVL": lambda config, value: config.replace(keepalive_interval=float(value)),
    "TCP_KEEPCNT": lambda config, value: config.replace(keepalive_probes=value),
    "TCP_USER_TIMEOUT": lambda config, value: config.replace(user_timeout=value / 1000 if value else None),
    "TCP_SYNCNT": lambda config, value: config.replace(syn_retries=value),
    "TCP_DEFER_ACCEPT": lambda config, value: config.replace(defer_accept=float(value) if value else None),
    "TCP_LINGER2": lambda config, value: config.replace(fin_wait_2_timeout=float(value)),
    "TCP_NOTSENT_LOWAT": lambda config, value: config.replace(notsent_lowat=value or None),
}

_LEVELS = {
    "SO": {"SOL_SOCKET"},
    "TCP": {"SOL_TCP", "IPPROTO_TCP"},
    "IP": {"SOL_IP", "IPPROTO_IP"},
    "IPV6": {"SOL_IPV6", "IPPROTO_IPV6"},
}
_IP_HEADER = {"IP_TTL", "IPV6_UNICAST_HOPS", "IP_TOS", "IPV6_TCLASS"}
_CLASSES = {f"IPTOS_DSCP_CS{n}": n << 5 for n in range(8)} | {
    "IPTOS_LOWDELAY": 0x10,
    "IPTOS_THROUGHPUT": 0x08,
    "IPTOS_RELIABILITY": 0x04,
    "IPTOS_DSCP_EF": 0xB8,
    **{f"IPTOS_DSCP_AF{n}{drop}": n << 5 | drop << 3 for n in range(1, 5) for drop in range(1, 4)},
}  # RFC 1349, RFC 2474, RFC 2597, RFC 3246: netinet/ip.h
_IDLE = {"SO_REUSEADDR", "SO_REUSEPORT", "SO_MARK", "SO_PRIORITY", "IP_FREEBIND", "IP_TRANSPARENT"}
_OF_NOTICES = {"SO_ZEROCOPY", "SO_TIMESTAMPING", "TCP_INQ"}
_ONLY_BEFORE_OPEN = {"TCP_NOOPT", "TCP_KEEPINIT"}

_READ: dict[str, Callable[[TcpConfig], float]] = {
    "SO_RCVBUF": lambda config: config.receive_buffer,
    "SO_SNDBUF": lambda config: config.send_buffer,
    "TCP_KEEPINIT": lambda config: config.connect_timeout or 0,
    "TCP_KEEPIDLE": lambda config: config.keepalive_idle,
    "TCP_KEEPINTVL": lambda config: config.keepalive_interval,
    "TCP_KEEPCNT": lambda config: config.keepalive_probes,
    "TCP_NODELAY": lambda config: not config.nagle,
    "SO_KEEPALIVE": lambda config: config.keepalive,
    "TCP_USER_TIMEOUT": lambda config: round(1000 * (config.user_timeout or 0)),
    "TCP_LINGER2": lambda config: config.fin_wait_2_timeout or 0,
    "TCP_NOTSENT_LOWAT": lambda config: config.notsent_lowat or 0,
}


def set_option(calls: "Calls", call: Call) -> Result:
    """setsockopt(fd, level, name, [value], length)."""
    socket, name = calls.of(call), _name(calls, call)
    value = pointed(calls.argument(call, 3))
    if name == "SO_REUSEADDR" and isinstance(value, Number):
        socket.reuse_address = bool(value.value)
    if name in _IDLE:
        return Result(0)
    if name == "TCP_FASTOPEN_CONNECT":
        return set_connect(calls, socket, value)
    if name in _OF_NOTICES:
        return _notices(calls, name, value, call)
    if name == "SO_LINGER":
        return _linger(calls, socket, value, call)
    if name in _IP_HEADER:
        return _ip_header(calls, name, value, call)
    if name not in _BEFORE_OPEN or not isinstance(value, Number):
        raise Unsupported(call.line, f"setsockopt {name}")
    try:
        config = _BEFORE_OPEN[name](socket.options, value.value)
    except ValueError:
        return Result(-1, "EINVAL")
    if name in _ONLY_BEFORE_OPEN and socket.tcb is not None:
        raise Unsupported(call.line, f"setsockopt {name} on an open socket")
    calls.exchange.perform(socket.configure(config, calls.exchange.now))
    calls.exchange.settle()
    return Result(0)


def _notices(calls: "Calls", name: str, value: Expression, call: Call) -> Result:
    """What the error queue, or recvmsg, is to tell of."""
    socket = calls.of(call)
    if name == "TCP_INQ":
        (calls.inq.add if names(value) else calls.inq.discard)(socket)
        return Result(0)
    notices = calls.notices.setdefault(socket, Notices())
    if name == "SO_ZEROCOPY":
        notices.zerocopy = bool(names(value))
        calls.exchange.watching = calls.look
        return Result(0)
    if socket.tcb is None:
        return Result(-1, "EINVAL")  # SOF_TIMESTAMPING_OPT_ID on TCP: net/core/sock.c, sock_set_timestamping
    notices.stamps, notices.origin = asked_for(value, call.line), socket.tcb.snd_una
    calls.exchange.watching = calls.look
    return Result(0)


def _ip_header(calls: "Calls", name: str, value: Expression, call: Call) -> Result:
    """The IP header's fields, which TCP does not look at; one socket at a time, as a script has it."""
    number = value.value if isinstance(value, Number) else _CLASSES.get("".join(names(value)))
    if number is None:
        raise Unsupported(call.line, f"setsockopt {name} with a value that is no number")
    if not 0 <= number <= 255:
        return Result(-1, "EINVAL")
    if name in ("IP_TTL", "IPV6_UNICAST_HOPS"):
        calls.exchange.ttl = number
    else:
        calls.exchange.tos = number & ~3  # the two bits of ECN are TCP's: RFC 3168 5
    return Result(0)


def get_option(calls: "Calls", call: Call) -> Result:
    """getsockopt(fd, level, name, [value], [length]): the value is compared with what the option is."""
    socket, name = calls.of(call), _name(calls, call)
    expected = pointed(calls.argument(call, 3))
    if name == "SO_ERROR":
        _compare_error(socket, expected, call)
    elif name in _READ:
        tcb = socket.tcb
        live = tcb is not None and name == "SO_RCVBUF"
        _compare(tcb.rcv_space if tcb and live else _READ[name](socket.options), expected, name, call)
    elif name == "TCP_MAXSEG" and socket.tcb is not None:
        _compare(socket.tcb.snd_mss, expected, name, call)
    else:
        raise Unsupported(call.line, f"getsockopt {name}")
    return Result(0)


def _name(calls: "Calls", call: Call) -> str:
    name = calls.argument(call, 2)
    if not isinstance(name, Name):
        raise Unsupported(call.line, f"{call.name} with an option that has no name")
    levels = _LEVELS.get(name.value.partition("_")[0], set())
    if names(calls.argument(call, 1)) - levels:
        raise Unsupported(call.line, f"{call.name} {name.value} at another level than {', '.join(sorted(levels))}")
    return name.value


def _linger(calls: "Calls", socket: Socket, value: Expression, call: Call) -> Result:
    numbers = [f.value for _, f in value.fields if isinstance(f, Number)] if isinstance(value, Structure) else []
    if len(numbers) != 2:
        raise Unsupported(call.line, "setsockopt SO_LINGER without {onoff=, linger=}")
    socket.linger_zero = numbers[0] != 0 and numbers[1] == 0
    calls.linger[socket] = numbers[1] * 1_000_000_000 if numbers[0] else 0
    return Result(0)


def _compare(value: float, expected: Expression, name: str, call: Call) -> None:
    if isinstance(expected, Unchecked):
        return
    if not isinstance(expected, Number):
        raise Unsupported(call.line, f"getsockopt {name} with a value that is no number")
    if expected.value != value:
        raise Failure(call.line, f"getsockopt {name} gives another value", str(expected.value), f"{value:g}")


def _compare_error(socket: Socket, expected: Expression, call: Call) -> None:
    pending = socket.take_error()
    error = errno_of(pending) if pending is not None else None
    wanted = "".join(names(expected)) or "0"
    if isinstance(expected, Items):
        raise Unsupported(call.line, "getsockopt SO_ERROR with several values")
    if not isinstance(expected, Unchecked) and not same(wanted, error or "0"):
        raise Failure(call.line, "getsockopt SO_ERROR gives another value", wanted, error or "0")
