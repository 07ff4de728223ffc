"""The acceptability table, and the rules for RST, SYN and ACK in each place of the window (RFC 9293 3.4, 3.10.7.4).

The counts: of all 2**32 numbers a segment of LEN may start at, how many are acceptable to a window of W?

    LEN = 0, W = 0   1                LEN > 0, W = 0   0
    LEN = 0, W > 0   W                LEN > 0, W > 0   W + min(LEN - 1, W)

The last is W + LEN - 1 as long as one end of the segment lies in the window; a segment longer than the window may cover
it with both ends outside, and is refused.
"""

import itertools

import pytest

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ConstantIsn
from netsim.tcp.segment import ACK, FIN, SYN, Segment
from netsim.tcp.segment_arrives.sequence import acceptable
from netsim.tcp.tcb import Tcb
from tests.tcp.harness import BASE, RfcSolo, reach

SPACE = 2**32
RFC_793 = BASE.replace(rst_policy="rfc793", syn_policy="rfc793", ack_policy="rfc793", challenge_ack_limit=None)
CHALLENGE = "<SEQ=1001><ACK=5001><CTL=ACK>"


def window_at(rcv_nxt: int, window: int, edge: str = "rfc9293") -> Tcb:
    tcb = reach("ESTABLISHED", BASE.replace(window_edge=edge)).connection
    tcb.rcv_nxt, tcb.rcv_wnd = rcv_nxt, window
    return tcb


def accepted_numbers(tcb: Tcb, flags: int, size: int) -> list[int]:
    """Acceptable numbers, as offsets from RCV.NXT. None further away than this can be: see the sampled test below."""
    reach_of_window = tcb.rcv_wnd + size + 5
    return [
        offset
        for offset in range(-reach_of_window, reach_of_window)
        if acceptable(tcb, Segment(tcb.four_tuple, (tcb.rcv_nxt + offset) % SPACE, 0, flags, 0, b"x" * size))
    ]


@pytest.mark.parametrize("rcv_nxt", [0, 1, 5, 7000, 2**31 - 3, 2**31, SPACE - 10, SPACE - 1])
@pytest.mark.parametrize(
    ("flags", "size", "window", "count"),
    [
        # LEN = 0
        (ACK, 0, 0, 1),
        (ACK, 0, 1, 1),
        (ACK, 0, 10, 10),
        # W = 0
        (ACK, 1, 0, 0),
        (ACK, 7, 0, 0),
        (ACK | FIN, 0, 0, 0),
        # W + LEN - 1
        (ACK, 1, 10, 10),
        (ACK, 5, 10, 14),
        (ACK, 10, 10, 19),
        (ACK, 11, 10, 20),
        # 2 W: longer than W + 1, it can cover the window
        (ACK, 12, 10, 20),
        (ACK, 30, 10, 20),
        (ACK, 4, 1, 2),
        # SYN and FIN count one each
        (SYN, 0, 10, 10),
        (SYN | FIN, 0, 10, 11),
        (ACK | FIN, 4, 10, 14),
    ],
)
def test_count_of_acceptable_numbers(rcv_nxt: int, flags: int, size: int, window: int, count: int) -> None:
    assert len(accepted_numbers(window_at(rcv_nxt, window), flags, size)) == count


def test_which_numbers_are_acceptable() -> None:
    """W = 10. LEN 0: 0 to 9. LEN 4: its first or its last byte in 0 to 9, so from -3. LEN 14: -13 to -4, 0 to 9."""
    tcb = window_at(SPACE - 5, 10)
    assert accepted_numbers(tcb, ACK, 0) == [*range(10)]
    assert accepted_numbers(tcb, ACK, 4) == [*range(-3, 10)]
    assert accepted_numbers(tcb, ACK, 14) == [*range(-13, -3), *range(10)]


def test_numbers_across_the_whole_space() -> None:
    """65,536 numbers spread evenly over the space, 2**16 apart: those in [RCV.NXT, RCV.NXT + W) and no others."""
    tcb = window_at(SPACE - 2**17, 2**18)
    inside = [n for n in range(0, SPACE, 2**16) if acceptable(tcb, Segment(tcb.four_tuple, n, 0, ACK, 0, b""))]
    assert inside == [0, 2**16, SPACE - 2**17, SPACE - 2**16]


def test_inclusive_right_edge() -> None:
    """Linux takes a segment that starts at RCV.NXT + RCV.WND, also when the window is closed."""
    assert accepted_numbers(window_at(7000, 10, "inclusive"), ACK, 0) == [*range(11)]
    assert accepted_numbers(window_at(7000, 0, "inclusive"), ACK, 0) == [0]
    assert accepted_numbers(window_at(7000, 0, "inclusive"), ACK, 1) == [0]


def test_data_outside_the_window_is_trimmed() -> None:
    """Only what lies in the window is taken, whichever end sticks out."""
    lone = idle()
    assert lone.arrive("ACK", 4998, 1001, b"abcdefg") == ["<SEQ=1001><ACK=5005><CTL=ACK>"]
    assert lone.call("receive", 100, lone.ns) == b"defg"
    lone = idle()
    assert lone.arrive("ACK", 5001, 1001, b"x" * 1001) == ["<SEQ=1001><ACK=6001><CTL=ACK>"]
    assert lone.call("receive", 2000, lone.ns) == b"x" * 1000


def test_closed_window_takes_rst_and_ack() -> None:
    """MUST-66: with RCV.WND = 0, data is refused, but ACK and RST at RCV.NXT are processed."""
    lone = reach("ESTABLISHED")
    lone.arrive("ACK", 5001, 1001, b"x" * 1000)
    assert lone.connection.rcv_wnd == 0
    assert lone.arrive("ACK", 6001, 1011, b"more") == ["<SEQ=1011><ACK=6001><CTL=ACK>"]
    assert lone.connection.snd_una == 1011
    assert lone.connection.rcv_nxt == 6001
    assert lone.arrive("ACK", 6002, 1011, b"more") == ["<SEQ=1011><ACK=6001><CTL=ACK>"]
    assert lone.arrive("RST", 6001) == []
    assert str(lone.state) == "CLOSED"


def idle(config: TcpConfig = BASE) -> RfcSolo:
    """ESTABLISHED, nothing in flight: SND.UNA = SND.NXT = 1001, RCV.NXT = 5001, RCV.WND = 1000, SND.WND = 2000."""
    lone = RfcSolo(config)
    lone.open()
    lone.arrive("SYN,ACK", 5000, 1001)
    lone.end.moves.clear()
    return lone


PLACES = {
    "far left": 5001 - 500,
    "left": 5000,
    "exact": 5001,
    "next": 5002,
    "inside": 5500,
    "last": 6000,
    "right edge": 6001,
    "far right": 5001 + 2**31,
}
INSIDE = ("exact", "next", "inside", "last")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("names", ["RST", "RST,ACK"])
def test_rst(place: str, names: str) -> None:
    """RFC 5961 3: outside silence, at RCV.NXT a reset, elsewhere inside a challenge ACK; RFC 793: inside a reset."""
    lone = idle()
    assert lone.arrive(names, PLACES[place], 1001) == ([CHALLENGE] if place in INSIDE and place != "exact" else [])
    assert str(lone.state) == ("CLOSED" if place == "exact" else "ESTABLISHED")
    lone = idle(RFC_793)
    assert lone.arrive(names, PLACES[place], 1001) == []
    assert str(lone.state) == ("CLOSED" if place in INSIDE else "ESTABLISHED")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("names", ["SYN", "SYN,ACK"])
def test_syn(place: str, names: str) -> None:
    """RFC 5961 4: a challenge ACK whatever the number; RFC 793: inside a RST and the end, outside an ACK."""
    lone = idle()
    assert lone.arrive(names, PLACES[place], 1001) == [CHALLENGE]
    assert str(lone.state) == "ESTABLISHED"
    lone = idle(RFC_793)
    reset = "<SEQ=1001><CTL=RST>" if "ACK" in names else f"<SEQ=0><ACK={PLACES[place] + 1}><CTL=RST,ACK>"
    assert lone.arrive(names, PLACES[place], 1001) == [reset if place in INSIDE else CHALLENGE]
    assert str(lone.state) == ("CLOSED" if place in INSIDE else "ESTABLISHED")


@pytest.mark.parametrize(
    ("ack", "taken_5961", "taken_793"),
    [
        # SND.UNA = 1001, SND.NXT = 1011, MAX.SND.WND = 2000
        (1011, True, True),
        (1001, True, True),
        (1000, True, True),
        (1001 - 2000, True, True),
        (1001 - 2001, False, True),
        (1001 - 2**31 + 1, False, True),
        (1012, False, False),
        (1011 + 2**31 - 1000, False, False),
    ],
)
def test_ack_range(ack: int, taken_5961: bool, taken_793: bool) -> None:
    """RFC 5961 5: SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT, else an ACK. RFC 793 has no lower bound."""
    for config, taken in ((BASE, taken_5961), (RFC_793, taken_793)):
        lone = reach("ESTABLISHED", config)
        answer = f"<SEQ=1011><ACK={5006 if taken else 5001}><CTL=ACK>"
        assert lone.arrive("ACK", 5001, ack, b"hello") == [answer]
        assert lone.call("receive", 100, lone.ns) == (b"hello" if taken else None)
        assert lone.connection.snd_una == (1011 if ack == 1011 else 1001)


def test_max_snd_wnd_is_the_largest_window_ever_seen() -> None:
    lone = reach("ESTABLISHED")
    lone.arrive("ACK", 5001, 1011, window=4000)
    lone.arrive("ACK", 5001, 1011, window=100)
    assert lone.arrive("ACK", 5001, 1011 - 4000) == []
    assert lone.arrive("ACK", 5001, 1011 - 4001) == ["<SEQ=1011><ACK=5001><CTL=ACK>"]


def test_challenge_acks_are_limited() -> None:
    """RFC 5961 7: ten in a period of five seconds, RST, SYN and ACK together; other answers are not limited."""
    lone = idle()
    kinds = itertools.cycle([("RST", 5002, 0), ("SYN", 5001, 0), ("ACK", 5001, 1001 - 2001)])
    answers = [lone.arrive(*next(kinds)) for _ in range(20)]
    assert answers == [[CHALLENGE]] * 10 + [[]] * 10
    assert lone.arrive("ACK", 6001, 1001) == [CHALLENGE]
    assert lone.arrive("ACK", 5001, 1002) == [CHALLENGE]
    lone.wait(4.999)
    assert lone.arrive("SYN", 5001) == []
    lone.wait(0.001)
    assert [lone.arrive("SYN", 5001) for _ in range(11)] == [[CHALLENGE]] * 10 + [[]]


def test_no_limit() -> None:
    lone = idle(BASE.replace(challenge_ack_limit=None))
    assert [lone.arrive("SYN", 5001) for _ in range(100)] == [[CHALLENGE]] * 100


def test_invalid_ratelimit() -> None:
    """Linux answers unacceptable segments without data at most every 500 ms."""
    lone = idle(BASE.replace(invalid_ratelimit=0.5, challenge_ack_limit=None))
    assert lone.arrive("ACK", 6001, 1001) == [CHALLENGE]
    assert lone.arrive("ACK", 6001, 1001) == []
    assert lone.arrive("ACK", 6001, 1001, b"data") == [CHALLENGE]
    lone.wait(0.499)
    assert lone.arrive("SYN", 5001) == []
    lone.wait(0.001)
    assert lone.arrive("SYN", 5001) == [CHALLENGE]


@pytest.mark.parametrize("distance", [0, 1, 2, 3, 5, 9, 10, 11, 12])
def test_ack_and_window_across_the_wrap(distance: int) -> None:
    """ISS = 2**32 - ``distance``: ten bytes, their ACK, an old and an unsent one, over the edge of the space."""
    iss = (SPACE - distance) % SPACE
    lone = RfcSolo(BASE.replace(isn=ConstantIsn(iss)))
    lone.open()
    lone.arrive("SYN,ACK", iss - 100, iss + 1)
    rcv_nxt = (iss - 99) % SPACE
    lone.call("send", b"0123456789", lone.ns)
    assert lone.sent == [f"<SEQ={(iss + 1) % SPACE}><ACK={rcv_nxt}><CTL=ACK><DATA=10>"]
    unsent = [f"<SEQ={(iss + 11) % SPACE}><ACK={rcv_nxt}><CTL=ACK>"]
    assert lone.arrive("ACK", rcv_nxt, iss + 12) == unsent
    assert lone.arrive("ACK", rcv_nxt, iss - 1999) == []
    assert lone.arrive("ACK", rcv_nxt, iss - 2000) == unsent
    for acked in range(1, 11):
        assert lone.arrive("ACK", rcv_nxt, iss + 1 + acked) == []
        assert lone.connection.snd_una == (iss + 1 + acked) % SPACE
    # The peer's numbers wrap too: 200 bytes from 100 before the edge.
    assert lone.arrive("ACK", rcv_nxt, iss + 11, b"y" * 200) == [
        f"<SEQ={(iss + 11) % SPACE}><ACK={(iss + 101) % SPACE}><CTL=ACK>"
    ]
