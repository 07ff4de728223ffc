"""Options in the order and with the padding of real hosts; numbers of the script and of the wire."""

import pytest

from netsim.referees.packetdrill.language.options import format_option, time_stamps
from netsim.referees.packetdrill.language.parser import parse
from netsim.referees.packetdrill.language.script import Event, Option, TcpPacket
from netsim.referees.packetdrill.option_layout import OptionStyle, layout
from netsim.referees.packetdrill.socket_under_test import SocketUnderTest
from netsim.referees.packetdrill.verdict import Failure
from netsim.tcp.segment import ACK, SYN, FourTuple, Options, Segment

FULL = Options(mss=1460, wscale=6, sack_permitted=True, ts_val=1)
FLOW = FourTuple("192.168.0.1", 8080, "192.0.2.1", 32768)


@pytest.mark.parametrize(
    ("style", "options", "expected"),
    [
        # sys/netinet/tcp_output.c, tcp_addoptions; as the FreeBSD test suite's scripts show them.
        ("freebsd", FULL, "mss 1460,nop,wscale 6,sackOK,TS val 1 ecr 0"),
        ("freebsd", Options(mss=1460, wscale=6, ts_val=1), "mss 1460,nop,wscale 6,nop,nop,TS val 1 ecr 0"),
        ("freebsd", Options(mss=1460, sack_permitted=True), "mss 1460,sackOK,eol,eol"),
        ("freebsd", Options(ts_val=1, ts_ecr=2, sack=((3, 4),)), "nop,nop,TS val 1 ecr 2,nop,nop,sack 3:4"),
        ("freebsd", Options(sack=((3, 4), (5, 6))), "nop,nop,sack 3:4 5:6"),
        ("freebsd", Options(mss=1460, wscale=6), "mss 1460,nop,wscale 6"),
        # net/ipv4/tcp_output.c, tcp_options_write; as the kernel's own packetdrill scripts show them.
        ("linux", FULL, "mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 6"),
        ("linux", Options(mss=1460, wscale=8, sack_permitted=True), "mss 1460,nop,nop,sackOK,nop,wscale 8"),
        ("linux", Options(ts_val=1, ts_ecr=2, sack=((3, 4),)), "nop,nop,TS val 1 ecr 2,nop,nop,sack 3:4"),
        ("linux", Options(mss=1460), "mss 1460"),
    ],
)  # fmt: skip
def test_option_layout(style: OptionStyle, options: Options, expected: str) -> None:
    assert ",".join(map(format_option, layout(options, style))) == expected


def packet(source: str) -> TcpPacket:
    (event,) = parse(f"0 {source}").events
    assert isinstance(event, Event)
    assert isinstance(event.action, TcpPacket)
    return event.action


def synchronized() -> SocketUnderTest:
    """A passive connection: remote ISN 1000 as written, local ISN 0 in the script and 5000 on the wire."""
    subject = SocketUnderTest(FLOW)
    assert subject.to_wire(packet("< S 1000:1000(0) win 9")).seq == 1000
    answer = Segment(FLOW, 5000, 1001, SYN | ACK, 9, b"", Options(mss=1, ts_val=70))
    subject.learn(packet("> S. 0:0(0) ack 1001 <mss 1,nop,nop,TS val 100 ecr 0>"), answer)
    seen = subject.to_script(answer, "freebsd")
    assert (seen.seq, seen.ack) == (0, 1001)
    return subject


def test_numbers_are_relative_except_on_a_syn() -> None:
    subject = synchronized()
    inbound = subject.to_wire(packet("< . 1:11(10) ack 1 win 9 <nop,nop,sack 21:31>"))
    assert (inbound.seq, inbound.ack, inbound.flow) == (1001, 5001, FLOW.reverse())
    assert inbound.options == Options(sack=((5021, 5031),))
    outbound = subject.to_script(Segment(FLOW, 5001, 1011, ACK, 9, b"", Options(sack=((1021, 1031),))), "freebsd")
    assert (outbound.seq, outbound.ack) == (1, 11)
    assert Option("sack", (21, 31)) in (outbound.options or ())
    assert subject.to_wire(packet("< . 4294967295:4294967295(0) ack 1 win 9")).seq == 999
    assert subject.to_wire(packet("< S 77:77(0) win 9")).seq == 77


def test_time_stamps_are_translated_by_the_pairs_seen() -> None:
    subject = synchronized()
    inbound = subject.to_wire(packet("< . 1:1(0) ack 1 win 9 <nop,nop,TS val 8 ecr 100>"))
    assert inbound.options == Options(ts_val=8, ts_ecr=70)
    outbound = subject.to_script(Segment(FLOW, 5001, 1001, ACK, 9, b"", Options(ts_val=75, ts_ecr=8)), "freebsd")
    assert time_stamps(105, 8) in (outbound.options or ())
    with pytest.raises(Failure):
        subject.to_wire(packet("< . 1:1(0) ack 1 win 9 <nop,nop,TS val 8 ecr 101>"))
