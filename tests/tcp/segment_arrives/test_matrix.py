"""SEGMENT ARRIVES, cell by cell: every state, every control, number and ACK acceptable or not (RFC 9293 3.10.7).

The tables below were written from the data of the RFC. Each cell is ``reply>next state:clause of the drop``:

    -       nothing is sent                      A5001  <SEQ=SND.NXT><ACK=5001><CTL=ACK>, SND.NXT as the heading has it
    R       <SEQ=SEG.ACK><CTL=RST>               RA     <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>
    SA      <SEQ=ISS><ACK=SEG.SEQ+1><CTL=SYN,ACK>
    SYNA    <SEQ=SND.NXT><ACK=SEG.SEQ+1><CTL=ACK>

Without ``>`` the state stays; without ``:`` the segment is not dropped. ISS = 1000, the peer's 5000, RCV.WND = 1000.
An ACK that repeats SND.UNA, while something is in flight, counts as old.

Two remarks on the data. In CLOSE-WAIT and later a second FIN, behind the first, would by the letter of step eight move
RCV.NXT again; nothing comes after a FIN, so it is acknowledged where RCV.NXT stands. In TIME-WAIT step five says "the
only thing that can arrive is a retransmission of the remote FIN; acknowledge it": a pure ACK is none, and two ends in
TIME-WAIT that acknowledged each other's ACKs would never stop.
"""

from collections.abc import Iterator

import pytest

from netsim.tcp import clauses
from tests.tcp.harness import BASE, reach

# The peer's segment: LEN counts SYN, FIN and each byte of data; a control with "ACK" comes in three kinds.
CONTROLS = {
    "none": ("none", 0, 0),
    "SYN": ("SYN", 0, 1),
    "FIN": ("FIN", 0, 1),
    "RST": ("RST", 0, 0),
    "SYN+FIN": ("SYN,FIN", 0, 2),
    "DATA": ("none", 10, 10),
    "ACK": ("ACK", 0, 0),
    "SYN+ACK": ("SYN,ACK", 0, 1),
    "FIN+ACK": ("FIN,ACK", 0, 1),
    "RST+ACK": ("RST,ACK", 0, 0),
    "DATA+ACK": ("ACK", 10, 10),
}

CLAUSES = {
    "C": clauses.NO_CONNECTION,
    "L1": clauses.LISTEN_1_RST,
    "L2": clauses.LISTEN_2_ACK,
    "L4": clauses.LISTEN_4_OTHER,
    "S1": clauses.SYN_SENT_1_ACK,
    "S2": clauses.SYN_SENT_2_RST,
    "S5": clauses.SYN_SENT_5_NEITHER,
    "1": clauses.CHECK_1_SEQUENCE,
    "4": clauses.CHECK_4_CHALLENGE_ACK,
    "5": clauses.CHECK_5_ACK,
    "7": clauses.CHECK_7_SEGMENT_TEXT,
}

# Before the peer's numbers are known, and without a connection, no number is unacceptable: any is tried.
NUMBERS_UNKNOWN = """
CLOSED          SND.NXT=0    SEQ=5000,9000  ACK acceptable=1001 old=1000 unsent=1002
none            RA:C
SYN             RA:C
FIN             RA:C
RST             -:C
SYN+FIN         RA:C
DATA            RA:C
ACK             R:C                    R:C             R:C
SYN+ACK         R:C                    R:C             R:C
FIN+ACK         R:C                    R:C             R:C
RST+ACK         -:C                    -:C             -:C
DATA+ACK        R:C                    R:C             R:C

LISTEN          SND.NXT=0    SEQ=5000,9000  ACK acceptable=1001 old=1000 unsent=1002
none            -:L4
SYN             SA>SYN-RECEIVED
FIN             -:L4
RST             -:L1
SYN+FIN         SA>SYN-RECEIVED
DATA            -:L4
ACK             R:L2                   R:L2            R:L2
SYN+ACK         R:L2                   R:L2            R:L2
FIN+ACK         R:L2                   R:L2            R:L2
RST+ACK         -:L1                   -:L1            -:L1
DATA+ACK        R:L2                   R:L2            R:L2

SYN-SENT        SND.NXT=1001 SEQ=5000,9000  ACK acceptable=1001 old=1000 unsent=1002
none            -:S5
SYN             SA>SYN-RECEIVED
FIN             -:S5
RST             -:S2
SYN+FIN         SA>SYN-RECEIVED
DATA            -:S5
ACK             -:S5                   R:S1            R:S1
SYN+ACK         SYNA>ESTABLISHED       R:S1            R:S1
FIN+ACK         -:S5                   R:S1            R:S1
RST+ACK         ->CLOSED               -:S1            -:S1
DATA+ACK        -:S5                   R:S1            R:S1
"""

# The number RCV.NXT: acceptable. For the others see UNACCEPTABLE below.
NUMBERS_KNOWN = """
SYN-RECEIVED passive  SND.NXT=1001 SEQ=5001 ACK acceptable=1001 old=1000 unsent=1002
none            -:5
SYN             ->LISTEN
FIN             -:5
RST             ->LISTEN
SYN+FIN         ->LISTEN
DATA            -:5
ACK             ->ESTABLISHED          R:5             R:5
SYN+ACK         ->LISTEN               ->LISTEN        ->LISTEN
FIN+ACK         A5002>CLOSE-WAIT       R:5             R:5
RST+ACK         ->LISTEN               ->LISTEN        ->LISTEN
DATA+ACK        A5011>ESTABLISHED      R:5             R:5

SYN-RECEIVED active   SND.NXT=1001 SEQ=5001 ACK acceptable=1001 old=1000 unsent=1002
none            -:5
SYN             A5001:4
FIN             -:5
RST             ->CLOSED
SYN+FIN         A5001:4
DATA            -:5
ACK             ->ESTABLISHED          R:5             R:5
SYN+ACK         A5001:4                A5001:4         A5001:4
FIN+ACK         A5002>CLOSE-WAIT       R:5             R:5
RST+ACK         ->CLOSED               ->CLOSED        ->CLOSED
DATA+ACK        A5011>ESTABLISHED      R:5             R:5

ESTABLISHED     SND.NXT=1011 SEQ=5001 ACK acceptable=1011 old=1000,1001 unsent=1012
none            -:5
SYN             A5001:4
FIN             -:5
RST             ->CLOSED
SYN+FIN         A5001:4
DATA            -:5
ACK             -                      -               A5001:5
SYN+ACK         A5001:4                A5001:4         A5001:4
FIN+ACK         A5002>CLOSE-WAIT       A5002>CLOSE-WAIT A5001:5
RST+ACK         ->CLOSED               ->CLOSED        ->CLOSED
DATA+ACK        A5011                  A5011           A5001:5

FIN-WAIT-1      SND.NXT=1002 SEQ=5001 ACK acceptable=1002 old=1000,1001 unsent=1003
none            -:5
SYN             A5001:4
FIN             -:5
RST             ->CLOSED
SYN+FIN         A5001:4
DATA            -:5
ACK             ->FIN-WAIT-2           -               A5001:5
SYN+ACK         A5001:4                A5001:4         A5001:4
FIN+ACK         A5002>TIME-WAIT        A5002>CLOSING   A5001:5
RST+ACK         ->CLOSED               ->CLOSED        ->CLOSED
DATA+ACK        A5011>FIN-WAIT-2       A5011           A5001:5

FIN-WAIT-2      SND.NXT=1002 SEQ=5001 ACK acceptable=1002 old=1001 unsent=1003
none            -:5
SYN             A5001:4
FIN             -:5
RST             ->CLOSED
SYN+FIN         A5001:4
DATA            -:5
ACK             -                      -               A5001:5
SYN+ACK         A5001:4                A5001:4         A5001:4
FIN+ACK         A5002>TIME-WAIT        A5002>TIME-WAIT A5001:5
RST+ACK         ->CLOSED               ->CLOSED        ->CLOSED
DATA+ACK        A5011                  A5011           A5001:5

CLOSE-WAIT      SND.NXT=1001 SEQ=5002 ACK acceptable=1001 old=1000 unsent=1002
none            -:5
SYN             A5002:4
FIN             -:5
RST             ->CLOSED
SYN+FIN         A5002:4
DATA            -:5
ACK             -                      -               A5002:5
SYN+ACK         A5002:4                A5002:4         A5002:4
FIN+ACK         A5002                  A5002           A5002:5
RST+ACK         ->CLOSED               ->CLOSED        ->CLOSED
DATA+ACK        -:7                    -:7             A5002:5

CLOSING         SND.NXT=1002 SEQ=5002 ACK acceptable=1002 old=1000,1001 unsent=1003
none            -:5
SYN             A5002:4
FIN             -:5
RST             ->CLOSED
SYN+FIN         A5002:4
DATA            -:5
ACK             ->TIME-WAIT            -:5             A5002:5
SYN+ACK         A5002:4                A5002:4         A5002:4
FIN+ACK         A5002>TIME-WAIT        -:5             A5002:5
RST+ACK         ->CLOSED               ->CLOSED        ->CLOSED
DATA+ACK        ->TIME-WAIT:7          -:5             A5002:5

LAST-ACK        SND.NXT=1002 SEQ=5002 ACK acceptable=1002 old=1000,1001 unsent=1003
none            -:5
SYN             A5002:4
FIN             -:5
RST             ->CLOSED
SYN+FIN         A5002:4
DATA            -:5
ACK             ->CLOSED               -               A5002:5
SYN+ACK         A5002:4                A5002:4         A5002:4
FIN+ACK         ->CLOSED               A5002           A5002:5
RST+ACK         ->CLOSED               ->CLOSED        ->CLOSED
DATA+ACK        ->CLOSED               -:7             A5002:5

TIME-WAIT       SND.NXT=1002 SEQ=5002 ACK acceptable=1002 old=1001 unsent=1003
none            -:5
SYN             A5002:4
FIN             -:5
RST             ->CLOSED
SYN+FIN         A5002:4
DATA            -:5
ACK             -                      -               A5002:5
SYN+ACK         A5002:4                A5002:4         A5002:4
FIN+ACK         A5002                  A5002           A5002:5
RST+ACK         ->CLOSED               ->CLOSED        ->CLOSED
DATA+ACK        -:7                    -:7             A5002:5
"""

# RFC 793 differs, at an acceptable number, in three rows of every state from SYN-RECEIVED on: the fourth check resets.
RFC_793 = """
SYN             RA>CLOSED
SYN+FIN         RA>CLOSED
SYN+ACK         R>CLOSED               R>CLOSED        R>CLOSED
"""

Cell = tuple[str, int, str, int, int, str]  # state, SND.NXT, control, SEG.SEQ, SEG.ACK, what the table says


def cells(table: str, override: str = "") -> Iterator[Cell]:
    """The cells of a table; rows of ``override`` replace those of the same control."""
    other = {line.split()[0]: line.split()[1:] for line in override.strip().splitlines()}
    for block in table.strip().split("\n\n"):
        heading, *rows = block.splitlines()
        state = heading[: heading.index("SND.NXT")].strip()
        values = dict(word.split("=") for word in heading.split() if "=" in word)
        acks = [values[kind].split(",") for kind in ("acceptable", "old", "unsent")]
        assert [row.split()[0] for row in rows] == list(CONTROLS), state
        for row in rows:
            control, *answers = row.split()
            answers = other.get(control, answers)
            assert len(answers) == (3 if "ACK" in control else 1), f"{state} {control}"
            for seq in values["SEQ"].split(","):
                for kind, answer in zip(acks, answers, strict=False):
                    for ack in kind:
                        yield state, int(values["SND.NXT"]), control, int(seq), int(ack), answer


def unacceptable() -> Iterator[Cell]:
    """The same segments outside the window, right of it and left: an ACK, but silence for RST (3.10.7.4, first)."""
    for state, nxt, control, seq, ack, _ in cells(NUMBERS_KNOWN):
        answer = "-:1" if "RST" in control else f"A{seq}:1"
        yield state, nxt, control, seq + 1000, ack, answer  # RCV.NXT + RCV.WND
        yield state, nxt, control, seq - 500, ack, answer


def reply_of(code: str, nxt: int, seq: int, ack: int, length: int) -> list[str]:
    if code == "-":
        return []
    if code[0] == "A":
        return [f"<SEQ={nxt}><ACK={code[1:]}><CTL=ACK>"]
    return {
        "R": [f"<SEQ={ack}><CTL=RST>"],
        "RA": [f"<SEQ=0><ACK={seq + length}><CTL=RST,ACK>"],
        "SA": [f"<SEQ=1000><ACK={seq + 1}><CTL=SYN,ACK>"],
        "SYNA": [f"<SEQ={nxt}><ACK={seq + 1}><CTL=ACK>"],
    }[code]


def check(cell: Cell, **policies: object) -> None:
    state, nxt, control, seq, ack, answer = cell
    flags, size, length = CONTROLS[control]
    rest, _, clause = answer.partition(":")
    code, _, new = rest.partition(">")
    lone = reach(state, BASE.replace(**policies))
    lone.end.moves.clear()
    replies = lone.arrive(flags, seq, ack if "ACK" in control else 0, b"x" * size)
    where = f"{state}, {control} SEQ={seq} ACK={ack}"
    assert replies == reply_of(code, nxt, seq, ack, length), where
    reached = str(lone.end.moves[-1].new) if lone.end.moves else state.split()[0]
    assert reached == (new or state.split()[0]), where
    assert lone.end.clauses == ([CLAUSES[clause]] if clause else []), where
    if reached in ("CLOSED", "LISTEN"):
        assert lone.tcb is None, where
    else:
        assert str(lone.connection.state) == reached, where


def name(cell: Cell) -> str:
    state, _, control, seq, ack, _ = cell
    return f"{state}-{control}-{seq}-{ack}" if "ACK" in control else f"{state}-{control}-{seq}"


@pytest.mark.parametrize("cell", [*cells(NUMBERS_UNKNOWN)], ids=name)
@pytest.mark.parametrize("rules", ["rfc5961", "rfc793"])
def test_no_connection_listen_and_syn_sent(cell: Cell, rules: str) -> None:
    check(cell, rst_policy=rules, syn_policy=rules, ack_policy=rules)


@pytest.mark.parametrize("cell", [*cells(NUMBERS_KNOWN)], ids=name)
def test_acceptable_number(cell: Cell) -> None:
    check(cell)


@pytest.mark.parametrize("cell", [*cells(NUMBERS_KNOWN, RFC_793)], ids=name)
def test_acceptable_number_under_rfc_793(cell: Cell) -> None:
    check(cell, rst_policy="rfc793", syn_policy="rfc793", ack_policy="rfc793")


@pytest.mark.parametrize("cell", [*unacceptable()], ids=name)
@pytest.mark.parametrize("rules", ["rfc5961", "rfc793"])
def test_unacceptable_number(cell: Cell, rules: str) -> None:
    check(cell, rst_policy=rules, syn_policy=rules, ack_policy=rules)


def test_the_matrix_is_complete() -> None:
    """Twelve states (SYN-RECEIVED by origin), eleven controls."""
    rows = {(cell[0], cell[2]) for table in (NUMBERS_UNKNOWN, NUMBERS_KNOWN) for cell in cells(table)}
    assert len(rows) == 12 * 11


@pytest.mark.parametrize("origin", ["active", "passive"])
@pytest.mark.parametrize("data", [b"", b"hello"])
def test_data_and_fin_of_a_syn_are_queued_until_established(origin: str, data: bytes) -> None:
    """3.10.7.2, third, and 3.10.7.3, fourth: other controls and data are processed once ESTABLISHED is reached."""
    lone = reach("SYN-SENT" if origin == "active" else "LISTEN")
    assert lone.arrive("SYN,FIN", 5000, data=data) == ["<SEQ=1000><ACK=5001><CTL=SYN,ACK>"]
    assert lone.arrive("ACK", 5001, 1001) == [f"<SEQ=1001><ACK={5002 + len(data)}><CTL=ACK>"]
    assert [str(m.new) for m in lone.end.moves][-3:] == ["SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT"]
    if origin == "passive":
        lone.accept()
    assert lone.call("receive", 100, lone.ns) == data
