"""ICMP errors (RFC 9293 3.9.2.2, RFC 5927) and path MTU discovery (RFC 1191), under each policy."""

import pytest

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import freebsd, linux, rfc9293
from netsim.tcp.errors import ConnectionRefused, ConnectionTimedOut, Unreachable
from netsim.tcp.segment import FIN, PSH, SYN, Options
from netsim.tcp.segment_arrives.icmp import IcmpError, Kind
from netsim.tcp.state import CLOSED, ESTABLISHED, LISTEN, SYN_SENT
from netsim.tcp.user_calls import close, send
from tests.tcp.harness import PEER_ISS, TO_PORT_80, Solo

ONE = PEER_ISS + 1
SOFT: list[Kind] = ["net_unreachable", "host_unreachable", "source_route_failed", "parameter_problem"]
HARD: list[Kind] = ["protocol_unreachable", "port_unreachable"]
FILTERED: list[Kind] = ["net_prohibited", "host_prohibited", "packet_filtered", "ttl_exceeded"]


def says(solo: Solo, kind: Kind, *, seq: int = 1000, mtu: int = 0) -> list[int]:
    """The message arrives; (sequence number of) what is sent because of it."""
    actions = solo.stack.on_icmp(IcmpError(solo.tcb.four_tuple, seq, kind, mtu), solo.ns)
    return [segment.seq for segment in solo.collect(actions)]


@pytest.mark.parametrize("kind", [*SOFT, *HARD, *FILTERED])
@pytest.mark.parametrize(
    ("config", "fatal"),
    [(rfc9293(), HARD), (freebsd(), [*HARD, *FILTERED]), (linux(), [*SOFT, *HARD, *FILTERED])],
    ids=["rfc9293", "freebsd", "linux"],
)
def test_what_ends_an_open(config: TcpConfig, fatal: list[Kind], kind: Kind) -> None:
    """SHLD-26 and MUST-56; FreeBSD with icmp_may_rst; Linux takes any error in SYN-SENT."""
    solo = Solo(config)
    solo.open()
    says(solo, kind)
    assert solo.tcb.state is (CLOSED if kind in fatal else SYN_SENT)
    if kind in fatal:
        refused = kind == "port_unreachable" or (
            config.icmp_hard == "unreachable-or-prohibited" and kind != "ttl_exceeded"
        )
        assert type(solo.tcb.error) is (ConnectionRefused if refused else Unreachable)


@pytest.mark.parametrize("kind", ["source_quench", "redirect"])
def test_source_quench_and_redirects_are_ignored(kind: Kind) -> None:
    """MUST-55; RFC 6633."""
    solo = Solo(linux())
    solo.open()
    assert says(solo, kind) == []
    assert (solo.tcb.state, solo.tcb.soft_error) == (SYN_SENT, None)


@pytest.mark.parametrize("offset", [-1, 1, 2, 70_000])
def test_a_message_about_no_outstanding_segment_is_ignored(offset: int) -> None:
    """RFC 5927 4.1: SND.UNA =< SEG.SEQ < SND.NXT; here the SYN alone, number 1000."""
    solo = Solo(linux())
    solo.open()
    says(solo, "port_unreachable", seq=1000 + offset)
    assert solo.tcb.state is SYN_SENT


def test_no_connection_no_effect() -> None:
    solo = Solo()
    solo.open()
    other = solo.tcb.four_tuple._replace(sport=9)
    assert solo.stack.on_icmp(IcmpError(other, 1000, "port_unreachable"), 0) == []


@pytest.mark.parametrize(("config", "state"), [(rfc9293(), CLOSED), (linux(), ESTABLISHED), (freebsd(), ESTABLISHED)])
def test_a_hard_error_on_a_connection(config: TcpConfig, state: object) -> None:
    """SHLD-26; RFC 5927 5.2, which hosts follow: it is but noted."""
    solo = Solo(config)
    solo.establish()
    solo.call(send, b"data")
    says(solo, "protocol_unreachable", seq=1001)
    assert solo.tcb.state is state


def test_a_soft_error_is_reported_after_the_timeout() -> None:
    """RFC 9293 3.9.2.2: soft errors do not abort, their reason is reported; without one it is a timeout."""
    for kind, error in (("host_unreachable", Unreachable), (None, ConnectionTimedOut)):
        solo = Solo(freebsd())
        solo.open()
        if kind is not None:
            says(solo, "host_unreachable")
        solo.advance(76.0)
        assert type(solo.tcb.error) is error
        assert kind is None or (isinstance(solo.tcb.error, Unreachable) and solo.tcb.error.errno == "EHOSTUNREACH")


def test_freebsd_aborts_at_the_second_soft_error_after_three_retransmissions() -> None:
    """sys/netinet/tcp_subr.c, tcp_notify: SYNs at 0, 1, 3.2, 7.4 and 15.6 s."""
    solo = Solo(freebsd())
    solo.open()
    says(solo, "host_unreachable")
    solo.advance(8.0)
    says(solo, "host_unreachable")
    assert solo.tcb.state is SYN_SENT
    solo.advance(16.0)
    says(solo, "host_unreachable")
    assert solo.tcb.state is CLOSED


def test_a_syn_received_entry_returns_to_listen() -> None:
    solo = Solo(linux())
    solo.stack.listen(80, 5)
    flow = solo.stack.address, 80
    syn_ack = solo.feed(SYN, PEER_ISS, flow=TO_PORT_80)[0]
    assert flow == (syn_ack.flow.src, syn_ack.flow.sport)
    (tcb,) = solo.stack.connections.values()
    solo.stack.on_icmp(IcmpError(syn_ack.flow, syn_ack.seq, "host_unreachable"), 0)
    assert tcb.state is LISTEN
    assert solo.stack.listeners[80].syn_queue_length == 0
    assert not solo.stack.connections


def test_a_smaller_path_mtu_splits_outstanding_segments() -> None:
    """RFC 1191 3: 3,000 bytes and FIN in segments of 1,460 and 80; the next hop takes 1,000: 960 bytes of data each."""
    solo = Solo()
    solo.establish(options=Options(mss=1460))
    solo.call(send, bytes(3000))
    solo.call(close)
    assert [s.seq for _, s in solo.log[2:]] == [1001, 2461, 3921]
    assert says(solo, "frag_needed", seq=1001, mtu=1000) == [1001, 1961, 2461, 3421]
    pieces = [(s.seq, len(s.payload), s.flags & (FIN | PSH)) for _, s in solo.log[5:]]
    assert pieces == [(1001, 960, 0), (1961, 500, 0), (2461, 960, 0), (3421, 500, 0)]
    assert solo.tcb.snd_mss == 960
    assert [(sent.seq, sent.length) for sent in solo.tcb.queue][-1] == (3921, 81)


@pytest.mark.parametrize("mtu", [1500, 1501, 0])
def test_a_path_mtu_that_is_no_smaller_changes_nothing(mtu: int) -> None:
    """RFC 1191 3; 0: the router names no MTU (RFC 1191 5), and the minimum MTU of RFC 791 is assumed."""
    solo = Solo()
    solo.establish(options=Options(mss=1460))
    solo.call(send, bytes(1460))
    says(solo, "frag_needed", seq=1001, mtu=mtu)
    assert solo.tcb.snd_mss == (1460 if mtu else 28)


def test_path_mtu_discovery_can_be_off_and_waits_for_a_connection() -> None:
    solo = Solo(rfc9293().replace(pmtu_discovery=False))
    solo.establish(options=Options(mss=1460))
    solo.call(send, bytes(1460))
    says(solo, "frag_needed", seq=1001, mtu=1000)
    assert solo.tcb.snd_mss == 1460
    solo = Solo()
    solo.open()
    assert says(solo, "frag_needed", mtu=1000) == []
    assert solo.tcb.state is SYN_SENT
