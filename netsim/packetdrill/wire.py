"""Options as hosts lay them out, and segments in packetdrill's own words.

The core knows which options a segment carries; their order and padding are the host's: a style here.
"""

from typing import Literal

from netsim.packetdrill.packets import option_size
from netsim.packetdrill.script import (
    FLAG_LETTERS,
    Eol,
    IcmpPacket,
    Mss,
    Nop,
    Opaque,
    Option,
    Sack,
    SackPermitted,
    TcpPacket,
    Timestamps,
    WindowScale,
)
from netsim.tcp.segment import Options

Style = Literal["bsd", "linux"]


def layout(options: Options | None, style: Style) -> tuple[Option, ...]:
    """The options as they stand in the header.

    bsd: sys/netinet/tcp_output.c, tcp_addoptions: each where its alignment puts it, NOPs before, EOLs at the end.
    linux: net/ipv4/tcp_output.c, tcp_options_write: each in whole words, NOPs before.
    """
    if options is None:
        return ()
    return _bsd(options) if style == "bsd" else _linux(options)


def _bsd(options: Options) -> tuple[Option, ...]:
    laid: list[Option] = []

    def put(option: Option, remainder: int, modulus: int) -> None:
        while sum(map(option_size, laid)) % modulus != remainder:
            laid.append(Nop())
        laid.append(option)

    if options.mss is not None:
        put(Mss(options.mss), 0, 4)
    if options.wscale is not None:
        put(WindowScale(options.wscale), 1, 2)
    if options.sack_permitted:
        put(SackPermitted(), 0, 2)
    if options.ts_val is not None:
        put(Timestamps(options.ts_val, options.ts_ecr), 2, 4)
    if options.sack:
        put(Sack(options.sack), 2, 4)
    while sum(map(option_size, laid)) % 4:
        laid.append(Eol())
    return tuple(laid)


def _linux(options: Options) -> tuple[Option, ...]:
    laid: list[Option] = []
    if options.mss is not None:
        laid.append(Mss(options.mss))
    if options.ts_val is not None:
        laid += [SackPermitted()] if options.sack_permitted else [Nop(), Nop()]
        laid.append(Timestamps(options.ts_val, options.ts_ecr))
    elif options.sack_permitted:
        laid += [Nop(), Nop(), SackPermitted()]
    if options.wscale is not None:
        laid += [Nop(), WindowScale(options.wscale)]
    if options.sack:
        laid += [Nop(), Nop(), Sack(options.sack)]
    return tuple(laid)


def packet_text(packet: TcpPacket | IcmpPacket) -> str:
    """A packet as a script writes it, without its time."""
    if isinstance(packet, IcmpPacket):
        words = [packet.direction, "icmp", packet.kind, packet.code or ""]
        words += [f"mtu {packet.mtu}"] if packet.mtu is not None else []
        return " ".join(filter(None, words))
    words = [packet.direction, *(f"[{n}]" if not v else f"({n} {v})" for n, v in packet.ip)]
    words.append("".join(letter for letter, bit in FLAG_LETTERS if packet.flags & bit) or "-")
    if packet.seq is None:
        words.append(f"...({packet.length})")
    else:
        words.append(f"{packet.seq}:{(packet.seq + packet.length) & 0xFFFFFFFF}({packet.length})")
    words += [f"ack {packet.ack}"] if packet.ack or "." in words[-2] else []
    words += [f"win {packet.window}"] if packet.window is not None else []
    words += [f"urg {packet.urgent}"] if packet.urgent else []
    if packet.options is None:
        words.append("<...>")
    elif packet.options:
        words.append("<" + ",".join(map(option_text, packet.options)) + ">")
    return " ".join(words)


def option_text(option: Option) -> str:
    """An option as a script writes it."""
    match option:
        case Mss():
            return f"mss {option.value}"
        case WindowScale():
            return f"wscale {option.shift}"
        case SackPermitted():
            return "sackOK"
        case Nop():
            return "nop"
        case Eol():
            return "eol"
        case Timestamps():
            val = "..." if option.val is None else option.val
            ecr = "..." if option.ecr is None else option.ecr
            return f"TS val {val} ecr {ecr}"
        case Sack():
            return "sack " + " ".join(f"{left}:{right}" for left, right in option.blocks)
        case Opaque():
            return f"0x{option.data}" if option.kind == "raw" else f"{option.kind} {option.data}".rstrip()
