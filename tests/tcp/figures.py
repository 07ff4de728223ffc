"""Replays the figures of RFC 9293 and RFC 1337 between two real stacks, line by line.

``replay`` reads the rows of ``data/rfc_figures.json``: the segment that moves, and both states after it. A row is

    ``-->``      end A has just sent this segment and it arrives;   ``<--`` the same from B
    ``--> ...``  end A has sent it and it stays in the net;         ``... <--`` the same from B
    ``... -->``  it arrives from the net: one held before, or an old duplicate of an earlier connection

What the figures leave to the reader (user calls, crashes, what an old duplicate carries) is the test's.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ConstantIsn
from netsim.tcp.config.profiles import rfc9293
from netsim.tcp.segment import Segment
from tests.tcp.harness import RfcPair, flags_of, flow_from, shown

FIGURES: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "rfc_figures.json").read_text())["figures"]
STATES = {
    "CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",
    "LAST-ACK", "TIME-WAIT",
}  # fmt: skip
# What the figures write in a state's place, and the state it stands for; None: the line says nothing of this end.
WORDS = {
    "(duplicate)": None,
    "(old dup)": None,
    "(REBOOT)": "CLOSED",
    "(send 300,receive 100)": "ESTABLISHED",
    "(no TCB)": "CLOSED",
    "(??)": None,
    "(!!)": None,
    "(Abort!!)": "CLOSED",
    "(ABORT!!)": "CLOSED",
    "(return to LISTEN!)": "LISTEN",
}
SYMBOLS = {"Z": 90, "Z+1": 91, "X": 300}  # figure 11
ORDER = ("SYN", "FIN", "RST", "ACK")  # in which the stack's segments name their flags
OLD = {("11", 2), ("1337-2", 3)}  # old duplicates that the rows do not call so
TEXT = bytes(range(100))
OLD_TEXT = b"\xee" * 80  # of an earlier incarnation

Before = dict[int | str, Callable[[RfcPair], Any]]


def number(value: int | str | None) -> int:
    return SYMBOLS[value] if isinstance(value, str) else value or 0


def printed(segment: dict[str, Any]) -> str:
    """The row's segment as ``shown`` prints one; "DATA" stands for 100 bytes."""
    text = f"<SEQ={number(segment['seq'])}>"
    text += f"<ACK={number(segment['ack'])}>" if "ACK" in segment["ctl"] else ""
    size = len(TEXT) if segment["data"] == "DATA" else segment["data"]
    return f"{text}<CTL={','.join(sorted(segment['ctl'].split(','), key=ORDER.index))}>" + (
        f"<DATA={size}>" if size else ""
    )


def check_states(pair: RfcPair, line: int | str, a: str | None, b: str | None) -> None:
    for end, word in (("A", a), ("B", b)):
        state = WORDS.get(word, word) if word is not None else None
        if state is not None:
            assert state in STATES
            assert str(pair.state(end)) == state, f"line {line}: {end} is in {pair.state(end)}, the RFC has {state}"


def move(pair: RfcPair, line: int | str, arrow: str, row: dict[str, Any], *, old: bool) -> None:
    """Let the row's segment do what its arrow says; ``old``: an old duplicate, that neither end has sent here."""
    sender = "A" if "-->" in arrow else "B"
    text = printed(row)
    held = [shown(s) for s in pair.net[sender]]
    stays = arrow.endswith("...") if sender == "A" else arrow.startswith("...")
    if text in held:
        if not stays:
            pair.deliver(sender, held.index(text))
        return
    assert old, f"line {line}: {sender} should have sent {text}; it has sent {held}"
    flags = flags_of(row["ctl"])
    pair.inject(
        Segment(flow_from(sender), number(row["seq"]), number(row["ack"]), flags, 1000, OLD_TEXT[: row["data"]])
    )


def replay(name: str, pair: RfcPair, before: Before, lines: set[int | str] | None = None) -> RfcPair:
    """Run a figure's rows (only ``lines``, if given) and check each against the two stacks."""
    for line, a, arrow, segment, b, note in FIGURES[name]["rows"]:
        if lines is not None and line not in lines:
            continue
        if line in before:
            before[line](pair)
        if arrow is not None:
            move(pair, line, arrow, segment, old="duplicate" in f"{a}{note}" or (name, line) in OLD)
        check_states(pair, line, a, b)
    return pair


def config(iss: int, base: TcpConfig | None = None, **changes: Any) -> TcpConfig:
    changes = {"delayed_ack": None, **changes}
    return (base if base is not None else rfc9293()).replace(isn=ConstantIsn(iss), **changes)


def quiet(pair: RfcPair) -> bool:
    return not pair.net["A"] and not pair.net["B"]


def established(a: TcpConfig, b: TcpConfig) -> RfcPair:
    """A has opened to B by a three-way handshake; nothing is in the net."""
    pair = RfcPair(a, b)
    pair.listen("B")
    pair.open("A")
    pair.settle()
    check_states(pair, 0, "ESTABLISHED", "ESTABLISHED")
    pair.sent.clear()
    return pair


def abandon_listener(pair: RfcPair) -> None:
    """B takes its connection and listens no more: the figures that follow know only the connection."""
    socket = pair.sockets["B"].accept()
    pair.sockets["B"].close(pair.ns)
    assert socket is not None
    pair.sockets["B"] = socket


def figure_12(base: TcpConfig) -> tuple[RfcPair, Before]:
    pair = established(config(99, base), config(299, base))
    abandon_listener(pair)
    before: Before = {
        2: lambda p: p.call("A", "shutdown"),
        4: lambda p: p.call("B", "shutdown"),
        6: lambda p: p.wait(p.stacks["A"].config.time_wait),
    }
    return pair, before
