"""Options as hosts lay them out, and segments in packetdrill's own words.

The core knows which options a segment carries; their order and padding are the host's: a style here.
"""

from typing import Literal

from netsim.referees.packetdrill.language.options import EOL, NOP, SACK_OK, size, stamps, text
from netsim.referees.packetdrill.language.script import FLAG_LETTERS, IcmpPacket, Option, TcpPacket
from netsim.tcp.segment import ExperimentalCookie, Options
from netsim.tcp.seq import MASK

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
        while _bytes(laid) % modulus != remainder:
            laid.append(NOP)
        laid.append(option)

    if options.mss is not None:
        put(Option("mss", (options.mss,)), 0, 4)
    if options.wscale is not None:
        put(Option("wscale", (options.wscale,)), 1, 2)
    if options.sack_permitted:
        put(SACK_OK, 0, 2)
    if options.ts_val is not None:
        put(stamps(options.ts_val, options.ts_ecr), 2, 4)
    if options.sack:
        put(_sack(options), 2, 4)
    if options.cookie is not None:
        laid.append(_cookie(options.cookie))
    while _bytes(laid) % 4:
        laid.append(EOL)
    return tuple(laid)


def _linux(options: Options) -> tuple[Option, ...]:
    laid: list[Option] = []
    if options.mss is not None:
        laid.append(Option("mss", (options.mss,)))
    if options.ts_val is not None:
        laid += [SACK_OK] if options.sack_permitted else [NOP, NOP]
        laid.append(stamps(options.ts_val, options.ts_ecr))
    elif options.sack_permitted:
        laid += [NOP, NOP, SACK_OK]
    if options.wscale is not None:
        laid += [NOP, Option("wscale", (options.wscale,))]
    if options.sack:
        laid += [NOP, NOP, _sack(options)]
    if options.cookie is not None:
        laid.append(_cookie(options.cookie))
        laid += [NOP] * (-_bytes(laid) % 4)
    return tuple(laid)


def _cookie(cookie: bytes) -> Option:
    return Option("FOEXP" if isinstance(cookie, ExperimentalCookie) else "FO", data=cookie.hex())


def _bytes(laid: list[Option]) -> int:
    return sum(size(option) or 0 for option in laid)


def _sack(options: Options) -> Option:
    return Option("sack", tuple(edge for block in options.sack for edge in block))


def packet_text(packet: TcpPacket | IcmpPacket) -> str:
    """A packet as a script writes it, without its time."""
    if isinstance(packet, IcmpPacket):
        words = [packet.direction, "icmp", packet.kind, packet.code or ""]
        words += [f"mtu {packet.mtu}"] if packet.mtu is not None else []
        return " ".join(filter(None, words))
    words = [packet.direction, *(f"[{n}]" if not v else f"({n} {v})" for n, v in packet.ip)]
    words += [f"{packet.ports[0]} > {packet.ports[1]}"] if packet.ports is not None else []
    words.append("".join(letter for letter, bit in FLAG_LETTERS if packet.flags & bit) or "-")
    if packet.seq is None:
        words.append(f"...({packet.length})")
    else:
        words.append(f"{packet.seq}:{(packet.seq + packet.length) & MASK}({packet.length})")
    words += [f"ack {packet.ack}"] if packet.ack or "." in words[-2] else []
    words += [f"win {packet.window}"] if packet.window is not None else []
    words += [f"urg {packet.urgent}"] if packet.urgent else []
    if packet.options is None:
        words.append("<...>")
    elif packet.options:
        words.append("<" + ",".join(map(text, packet.options)) + ">")
    return " ".join(words)
