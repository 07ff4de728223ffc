"""getsockopt, setsockopt, fcntl and ioctl: the names of socket options, and where the model keeps their values."""

from collections.abc import Callable

from netsim.referees.packetdrill.language.script import (
    Array,
    Call,
    Expression,
    Name,
    Number,
    Structure,
    Unchecked,
)
from netsim.referees.packetdrill.system_calls.errno import errno_of, same_error
from netsim.referees.packetdrill.system_calls.error_queue import ErrorQueue, requested_time_stamps
from netsim.referees.packetdrill.system_calls.process import (
    Attempt,
    Process,
    argument,
    integer,
    listed,
    pointed_to,
    returns,
    symbols,
)
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.socket import Socket
from netsim.tcp.user_calls import Status

Change = Callable[[TcpConfig, int], TcpConfig]


def _without_options(config: TcpConfig) -> TcpConfig:
    return config.replace(announce_mss=False, window_scale=None, timestamps=False, sack=False)


def _fast_open(config: TcpConfig, value: int) -> TcpConfig:
    """For a listener the value is the maximum number of connections whose handshake is not yet complete."""
    return config.replace(fast_open="both", fast_open_queue=value) if value else config.replace(fast_open="off")


# The options that are fields of TcpConfig: the configuration of the socket after setsockopt.
_CONFIGURED: dict[str, Change] = {
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
_TOS_NAMES = {f"IPTOS_DSCP_CS{n}": n << 5 for n in range(8)} | {
    "IPTOS_LOWDELAY": 0x10,
    "IPTOS_THROUGHPUT": 0x08,
    "IPTOS_RELIABILITY": 0x04,
    "IPTOS_DSCP_EF": 0xB8,
    **{f"IPTOS_DSCP_AF{n}{drop}": n << 5 | drop << 3 for n in range(1, 5) for drop in range(1, 4)},
}  # RFC 1349, RFC 2474, RFC 2597, RFC 3246: netinet/ip.h
_IGNORED = {"SO_REUSEADDR", "SO_REUSEPORT", "SO_MARK", "SO_PRIORITY", "IP_FREEBIND", "IP_TRANSPARENT"}
_OF_REPORTS = {"SO_ZEROCOPY", "SO_TIMESTAMPING", "TCP_INQ"}
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
_COUNTS: dict[str, Callable[[Status], int]] = {
    "SIOCINQ": lambda status: status.unread,
    "FIONREAD": lambda status: status.unread,
    "SIOCOUTQ": lambda status: status.unacknowledged + status.unsent,
    "SIOCOUTQNSD": lambda status: status.unsent,
}


def setsockopt(process: Process, call: Call) -> Attempt:
    """setsockopt(fd, level, name, [value], length)."""
    socket, name = process.socket(call), _name(call)
    value = pointed_to(argument(call, 3))
    if name == "SO_REUSEADDR" and isinstance(value, Number):
        socket.reuse_address = bool(value.value)
    if name in _IGNORED:
        return returns(0)
    if name == "TCP_FASTOPEN_CONNECT":
        _set_member(process.fast_open_connect, socket, value)
        return returns(0)
    if name in _OF_REPORTS:
        return _set_reports(process, name, value, call)
    if name == "SO_LINGER":
        return _set_linger(process, socket, value, call)
    if name in _IP_HEADER:
        return _set_ip_header(process, name, value, call)
    if name not in _CONFIGURED or not isinstance(value, Number):
        raise Unsupported(call.line, f"setsockopt {name}")
    try:
        config = _CONFIGURED[name](socket.options, value.value)
    except ValueError:
        return returns(-1, "EINVAL")
    if name in _ONLY_BEFORE_OPEN and socket.tcb is not None:
        raise Unsupported(call.line, f"setsockopt {name} on an open socket")
    process.host.perform(socket.configure(config, process.host.now))
    process.host.settle()
    return returns(0)


def _set_member(sockets: set[Socket], socket: Socket, value: Expression) -> None:
    """Switch an option on (any value but 0) or off: ``sockets`` are those that have it."""
    (sockets.add if symbols(value) else sockets.discard)(socket)


def _set_reports(process: Process, name: str, value: Expression, call: Call) -> Attempt:
    """SO_ZEROCOPY and SO_TIMESTAMPING: what the error queue reports. TCP_INQ: what recvmsg reports."""
    socket = process.socket(call)
    if name == "TCP_INQ":
        _set_member(process.inq, socket, value)
        return returns(0)
    queue = process.error_queues.setdefault(socket, ErrorQueue())
    if name == "SO_ZEROCOPY":
        queue.zerocopy = bool(symbols(value))
    elif socket.tcb is None:
        return returns(-1, "EINVAL")  # SOF_TIMESTAMPING_OPT_ID on TCP: net/core/sock.c, sock_set_timestamping
    else:
        queue.stamps, queue.origin = requested_time_stamps(symbols(value), call.line), socket.tcb.snd_una
    process.watch_progress()
    return returns(0)


def _set_linger(process: Process, socket: Socket, value: Expression, call: Call) -> Attempt:
    numbers = [f.value for _, f in value.fields if isinstance(f, Number)] if isinstance(value, Structure) else []
    if len(numbers) != 2:
        raise Unsupported(call.line, "setsockopt SO_LINGER without {onoff=, linger=}")
    socket.linger_zero = numbers[0] != 0 and numbers[1] == 0
    process.linger[socket] = numbers[1] * 1_000_000_000 if numbers[0] else 0
    return returns(0)


def _set_ip_header(process: Process, name: str, value: Expression, call: Call) -> Attempt:
    """Fields of the IP header, which TCP does not use. They hold for the script's socket, of which there is one."""
    number = value.value if isinstance(value, Number) else _TOS_NAMES.get("".join(symbols(value)))
    if number is None:
        raise Unsupported(call.line, f"setsockopt {name} with a value that is not a number")
    if not 0 <= number <= 255:
        return returns(-1, "EINVAL")
    if name in ("IP_TTL", "IPV6_UNICAST_HOPS"):
        process.host.ttl = number
    else:
        process.host.tos = number & ~3  # the two bits of ECN belong to TCP: RFC 3168 5
    return returns(0)


def getsockopt(process: Process, call: Call) -> Attempt:
    """getsockopt(fd, level, name, [value], [length]): the option's value is compared with the script's."""
    socket, name = process.socket(call), _name(call)
    expected = pointed_to(argument(call, 3))
    tcb = socket.tcb
    if name == "SO_ERROR":
        _compare_error(socket, expected, call)
    elif name == "SO_RCVBUF" and tcb is not None:
        _compare(tcb.rcv_space, expected, name, call)
    elif name == "TCP_MAXSEG" and tcb is not None:
        _compare(tcb.snd_mss, expected, name, call)
    elif name in _READ:
        _compare(_READ[name](socket.options), expected, name, call)
    else:
        raise Unsupported(call.line, f"getsockopt {name}")
    return returns(0)


def _name(call: Call) -> str:
    """The name of the option. Unsupported if it is not a name, or if the level is not that of the option."""
    name = argument(call, 2)
    if not isinstance(name, Name):
        raise Unsupported(call.line, f"{call.name} with an option that has no name")
    levels = _LEVELS.get(name.value.partition("_")[0], set())
    if symbols(argument(call, 1)) - levels:
        raise Unsupported(call.line, f"{call.name} {name.value} at a level other than {listed(levels)}")
    return name.value


def _compare(value: float, expected: Expression, name: str, call: Call) -> None:
    if isinstance(expected, Unchecked):
        return
    if not isinstance(expected, Number):
        raise Unsupported(call.line, f"getsockopt {name} with a value that is not a number")
    if expected.value != value:
        raise Failure(call.line, f"getsockopt {name}: the value differs", str(expected.value), f"{value:g}")


def _compare_error(socket: Socket, expected: Expression, call: Call) -> None:
    pending = socket.take_error()
    error = errno_of(pending) if pending is not None else "0"
    wanted = "".join(symbols(expected)) or "0"
    if isinstance(expected, Array):
        raise Unsupported(call.line, "getsockopt SO_ERROR with several values")
    if not isinstance(expected, Unchecked) and not same_error(wanted, error):
        raise Failure(call.line, "getsockopt SO_ERROR: the value differs", wanted, error)


def fcntl(process: Process, call: Call) -> Attempt:
    """fcntl(fd, F_GETFL) and fcntl(fd, F_SETFL, flags): only O_NONBLOCK can be changed."""
    socket, command = process.socket(call), symbols(argument(call, 1))
    if command == {"F_GETFL"}:
        return returns(0x2 | (process.host.platform.nonblock if socket.nonblocking else 0))
    if command != {"F_SETFL"} or symbols(argument(call, 2)) - {"O_RDWR", "O_NONBLOCK", "2"}:
        raise Unsupported(call.line, f"fcntl with {listed(command)}")
    socket.nonblocking = "O_NONBLOCK" in symbols(argument(call, 2))
    return returns(0)


def ioctl(process: Process, call: Call) -> Attempt:
    """ioctl(fd, SIOCINQ or SIOCOUTQ or SIOCOUTQNSD, [bytes])."""
    socket, command = process.socket(call), "".join(symbols(argument(call, 1)))
    if command not in _COUNTS:
        raise Unsupported(call.line, f"ioctl with {command}")
    count, expected = _COUNTS[command](socket.status()), integer(call, 2)
    if count != expected:
        raise Failure(call.line, f"ioctl {command}: the number of bytes differs", str(expected), str(count))
    return returns(0)
