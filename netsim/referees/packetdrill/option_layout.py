"""The order and padding of TCP options in the header of a segment, which differ between systems.

The TCP core only knows which options a segment has.
"""

from typing import Literal

from netsim.referees.packetdrill.language.options import EOL, NOP, SACK_OK, option_size, time_stamps
from netsim.referees.packetdrill.language.script import Option
from netsim.tcp.segment import ExperimentalCookie, Options

OptionStyle = Literal["freebsd", "linux"]


def layout(options: Options | None, style: OptionStyle) -> tuple[Option, ...]:
    """The options as they stand in the header, with their padding.

    freebsd: each option is aligned by NOPs before it, EOLs fill the end (sys/netinet/tcp_output.c, tcp_addoptions).
    linux: each option fills whole words, with NOPs before it (net/ipv4/tcp_output.c, tcp_options_write).
    """
    if options is None:
        return ()
    return _freebsd(options) if style == "freebsd" else _linux(options)


def _freebsd(options: Options) -> tuple[Option, ...]:
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
        put(time_stamps(options.ts_val, options.ts_ecr), 2, 4)
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
        laid.append(time_stamps(options.ts_val, options.ts_ecr))
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
    return sum(option_size(option) or 0 for option in laid)


def _sack(options: Options) -> Option:
    return Option("sack", tuple(edge for block in options.sack for edge in block))
