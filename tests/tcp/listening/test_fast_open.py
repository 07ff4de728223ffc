"""Fast Open (RFC 7413), one stack at a time: cookies, the pending limit, what goes out again."""

import pytest

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.errors import ConnectionReset
from netsim.tcp.listening.fast_open import cookie_for
from netsim.tcp.segment import ACK, PSH, RST, SYN, FourTuple, Options, Segment
from netsim.tcp.socket import Socket
from netsim.tcp.stack import Stack
from netsim.tcp.state import CLOSED, ESTABLISHED, SYN_RECEIVED
from netsim.tcp.timers import REXMT
from tests.tcp.harness import PEER_ISS, TO_PORT_80, Solo, streams

CLIENT = TcpConfig(fast_open="client", delayed_ack=None)
SERVER = TcpConfig(fast_open="server", delayed_ack=None)
COOKIE = b"12345678"


def client(config: TcpConfig = CLIENT, *, cookie: bytes | None = COOKIE) -> Solo:
    solo = Solo(config)
    if cookie is not None:
        solo.stack.ctx.cookies["b"] = (cookie, 1460)
    return solo


def server(config: TcpConfig = SERVER, *, backlog: int = 8) -> tuple[Solo, Socket]:
    solo = Solo(config)
    listener = Socket(solo.stack)
    listener.listen(80, backlog)
    return solo, listener


def syn(solo: Solo, data: bytes, *, port: int = 4000, cookie: bytes | None = None, seq: int = 77) -> list[Segment]:
    """A client's SYN with data; with the right cookie if none is given."""
    flow = FourTuple("b", port, "a", 80)
    right = cookie_for(solo.stack.ctx, flow, solo.stack.config.fast_open_cookie)
    return solo.feed(SYN, seq, data=data, options=Options(cookie=right if cookie is None else cookie), flow=flow)


def test_the_first_syn_requests_a_cookie_and_carries_no_data() -> None:
    solo = client(cookie=None)
    (sent,) = solo.open(data=b"GET /")
    assert sent.options is not None
    assert (sent.options.cookie, sent.payload) == (b"", b"")
    (ack,) = solo.feed(SYN | ACK, PEER_ISS, 1001, options=Options(mss=1200, cookie=COOKIE))
    assert ack.payload == b"GET /"  # with the final ACK, as without Fast Open
    assert solo.stack.ctx.cookies == {"b": (COOKIE, 1200)}


def test_the_next_syn_carries_cookie_and_data() -> None:
    solo = client()
    (sent,) = solo.open(data=b"GET /")
    assert sent.options is not None
    assert (sent.options.cookie, sent.payload, sent.seq, sent.length) == (COOKIE, b"GET /", 1000, 6)
    (ack,) = solo.feed(SYN | ACK, PEER_ISS, 1006)
    assert (ack.seq, ack.ack, ack.payload) == (1006, PEER_ISS + 1, b"")
    assert not solo.tcb.snd_buffer
    assert not solo.tcb.queue


def test_data_that_the_syn_ack_does_not_acknowledge_is_retransmitted_immediately() -> None:
    """RFC 7413 4.2.1: a SYN-ACK that acknowledges the SYN alone."""
    solo = client()
    solo.open(data=b"GET /")
    (ack,) = solo.feed(SYN | ACK, PEER_ISS, 1001)
    assert (ack.seq, ack.payload) == (1001, b"GET /")
    assert solo.stack.counters.TcpRetransSegs == 1
    solo.feed(ACK, PEER_ISS + 1, 1006)
    assert not solo.tcb.queue


def test_data_accepted_in_part() -> None:
    solo = client()
    solo.open(data=b"GET /")
    (ack,) = solo.feed(SYN | ACK, PEER_ISS, 1004)
    assert (ack.seq, ack.payload) == (1004, b" /")


def test_a_retransmitted_syn_carries_neither_data_nor_cookie() -> None:
    solo = client()
    solo.open(data=b"GET /")
    ((at, again),) = solo.advance(1.0)
    assert at == 1.0
    assert again.options is not None
    assert (again.options.cookie, again.payload, again.seq) == (None, b"", 1000)
    (ack,) = solo.feed(SYN | ACK, PEER_ISS, 1001)
    assert ack.payload == b"GET /"
    assert solo.advance(1.5) == []
    (lost,) = [s for _, s in solo.advance(6.0)][:1]
    assert lost.payload == b"GET /"  # its own timer runs now


def test_long_data_continues_after_the_syn() -> None:
    """The SYN leaves room for 40 bytes of options: 1460 - 40 = 1420 of 2000 bytes (RFC 7413 4.1.3)."""
    solo = client()
    (sent,) = solo.open(data=b"x" * 2000)
    assert len(sent.payload) == 1420
    sent_then = solo.feed(SYN | ACK, PEER_ISS, 1000 + 1 + 1420, options=Options(mss=1460))
    assert [(s.seq, len(s.payload)) for s in sent_then] == [(2421, 580)]


def test_data_without_a_cookie_if_the_configuration_allows_it() -> None:
    solo = client(CLIENT.replace(fast_open_without_cookie=True), cookie=None)
    (sent,) = solo.open(data=b"GET /")
    assert sent.options is not None
    assert (sent.options.cookie, sent.payload) == (None, b"GET /")


def test_off_by_default() -> None:
    solo = client(TcpConfig())
    (sent,) = solo.open(data=b"GET /")
    assert sent.options is not None
    assert (sent.options.cookie, sent.payload) == (None, b"")
    (ack,) = solo.feed(SYN | ACK, PEER_ISS, 1001)
    assert ack.payload == b"GET /"
    other, _ = server(TcpConfig())
    (answer,) = syn(other, b"GET /")
    assert answer.ack == 78


def test_the_server_grants_a_cookie_and_accepts_no_data_without_one() -> None:
    solo, listener = server()
    for cookie in (b"", b"wrong678"):
        (answer,) = syn(solo, b"GET /", cookie=cookie, port=4000 + len(cookie))
        assert answer.ack == 78  # the SYN alone
        assert answer.options is not None
        assert answer.options.cookie == cookie_for(solo.stack.ctx, TO_PORT_80, 8)
    assert listener.accept() is None
    counters = solo.stack.counters
    assert (counters.TcpExtTCPFastOpenCookieReqd, counters.TcpExtTCPFastOpenPassiveFail) == (1, 1)


@pytest.mark.parametrize("size", [4, 8, 16])
def test_cookies_differ_by_client_and_by_server(size: int) -> None:
    solo, _ = server()
    flows = [FourTuple(src, 1, dst, 80) for src in "bc" for dst in "ad"]
    cookies = {cookie_for(solo.stack.ctx, flow, size) for flow in flows}
    assert len(cookies) == 4
    assert {len(cookie) for cookie in cookies} == {size}
    another_port = FourTuple("b", 2, "a", 80)
    assert cookie_for(solo.stack.ctx, another_port, size) in cookies  # of the address, not of the port


def test_a_hosts_key_may_be_of_any_length() -> None:
    for key in (b"", b"k" * 200):
        stack = Stack("a", streams(), SERVER, secret=key)
        assert len(cookie_for(stack.ctx, TO_PORT_80, 16)) == 16


def test_with_a_cookie_the_server_reads_and_answers_in_syn_received() -> None:
    """Data is acknowledged by the SYN-ACK, accepted, read and answered before the handshake's final ACK."""
    solo, listener = server()
    (answer,) = syn(solo, b"GET /")
    assert (answer.ack, answer.payload) == (77 + 1 + 5, b"")
    sock = listener.accept()
    assert sock is not None
    assert (sock.state, sock.receive(100, 0)[0]) == (SYN_RECEIVED, b"GET /")
    _, actions = sock.send(b"answer", 0)
    (data,) = solo.collect(actions)
    assert (data.seq, data.ack, data.payload, data.flags) == (1001, 83, b"answer", ACK | PSH)
    solo.ns = 100_000_000
    assert solo.feed(ACK, 83, 1001, flow=TO_PORT_80) == []
    assert sock.state is ESTABLISHED
    assert listener.accept() is None  # it is not offered twice
    assert sock.tcb is not None
    assert sock.tcb.deadlines[REXMT] < 2_000_000_000  # the data has its timer
    solo.feed(ACK, 83, 1007, flow=TO_PORT_80)
    assert not sock.tcb.queue
    assert solo.stack.counters.TcpPassiveOpens == 1


def test_data_on_a_syn_ack_is_accepted() -> None:
    """RFC 7413 4.2.1: a server may answer there; the data counts from the number behind the SYN."""
    solo = client()
    solo.open(data=b"GET /")
    (ack,) = solo.feed(SYN | ACK | PSH, PEER_ISS, 1006, data=b"answer")
    assert (ack.ack, solo.read()) == (PEER_ISS + 1 + 6, b"answer")


WAITING = SERVER.replace(fast_open_synack_wait=0.01)


def test_the_syn_ack_can_carry_the_response() -> None:
    """RFC 7413 4.2.2: it waits for the application; one segment takes what would be two."""
    solo, listener = server(WAITING)
    assert syn(solo, b"GET /") == []
    sock = listener.accept()
    assert sock is not None
    _, actions = sock.send(b"answer", 0)
    (answer,) = solo.collect(actions)
    assert (answer.flags, answer.seq, answer.ack, answer.payload) == (SYN | ACK, 1000, 83, b"answer")
    assert solo.advance(0.9) == []
    ((at, again),) = solo.advance(1.5)
    assert (at, again.flags, again.payload) == (1.0, SYN | ACK, b"")  # repeated without data
    solo.feed(ACK, 83, 1007, flow=TO_PORT_80)
    assert sock.tcb is not None
    assert sock.state is ESTABLISHED
    assert not sock.tcb.queue
    assert not sock.tcb.snd_buffer


def test_a_long_response_continues_after_the_syn_ack() -> None:
    """The peer announced no MSS: 536 - 40 = 496 bytes on the SYN-ACK, then segments of 536."""
    solo, listener = server(WAITING)
    syn(solo, b"GET /")
    sock = listener.accept()
    assert sock is not None
    _, actions = sock.send(b"x" * 1568, 0)
    sent = solo.collect(actions)
    assert [(s.seq, len(s.payload)) for s in sent] == [(1000, 496), (1497, 536), (2033, 536)]


def test_a_delayed_syn_ack_is_sent_at_its_deadline() -> None:
    solo, listener = server(WAITING)
    syn(solo, b"GET /")
    ((at, answer),) = solo.advance(0.5)
    assert (at, answer.flags, answer.ack, answer.payload) == (0.01, SYN | ACK, 83, b"")
    assert solo.stack.counters.TcpRetransSegs == 0
    sock = listener.accept()
    assert sock is not None
    _, actions = sock.send(b"answer", solo.ns)
    (data,) = solo.collect(actions)
    assert (data.flags, data.seq) == (ACK | PSH, 1001)


def test_an_application_that_closes_immediately_still_answers_the_syn() -> None:
    solo, listener = server(WAITING)
    syn(solo, b"GET /")
    sock = listener.accept()
    assert sock is not None
    assert sock.receive(100, 0)[0] == b"GET /"
    actions = sock.close(0)
    answer, fin = solo.collect(actions)
    assert (answer.flags, answer.seq, fin.flags & 1, fin.seq) == (SYN | ACK, 1000, 1, 1001)


def test_only_fast_open_delays_the_syn_ack() -> None:
    solo, _ = server(WAITING)
    assert syn(solo, b"GET /", cookie=b"")[0].ack == 78


def test_the_syn_ack_is_retransmitted_without_data_until_the_final_ack_arrives() -> None:
    solo, listener = server()
    syn(solo, b"GET /")
    sock = listener.accept()
    assert sock is not None
    _, actions = sock.send(b"answer", 0)
    solo.collect(actions)
    sent = solo.advance(3.5)
    assert [(at, s.flags, s.ack, s.payload) for at, s in sent] == [
        (1.0, SYN | ACK, 83, b""),
        (3.0, SYN | ACK, 83, b""),
    ]
    solo.feed(ACK, 83, 1001, flow=TO_PORT_80)
    sent = solo.advance(10.0)
    assert sent[0][1].payload == b"answer"


def test_beyond_the_pending_limit_the_usual_handshake() -> None:
    """RFC 7413 5.1: the option is ignored and the data not taken, until one of those pending is ESTABLISHED."""
    solo, listener = server(SERVER.replace(fast_open_queue=2))
    answers = [syn(solo, b"GET /", port=port)[0].ack for port in (1, 2, 3)]
    assert answers == [83, 83, 78]
    assert solo.stack.counters.TcpExtTCPFastOpenListenOverflow == 1
    solo.feed(ACK, 83, 1001, flow=FourTuple("b", 1, "a", 80))
    assert syn(solo, b"GET /", port=4)[0].ack == 83
    solo.feed(RST, 83, flow=FourTuple("b", 4, "a", 80))
    assert syn(solo, b"GET /", port=5)[0].ack == 83
    assert solo.stack.listeners[80].syn_queue_length == 3
    assert len(listener.listener.accept_queue) == 4  # type: ignore[union-attr]


def test_no_fast_open_at_all_with_a_limit_of_zero() -> None:
    solo, _ = server(SERVER.replace(fast_open_queue=0))
    assert syn(solo, b"GET /")[0].ack == 78


def test_a_reset_ends_a_connection_that_the_application_has_accepted() -> None:
    solo, listener = server()
    syn(solo, b"GET /")
    sock = listener.accept()
    assert sock is not None
    solo.feed(RST, 83, flow=TO_PORT_80)
    assert sock.state is CLOSED
    assert sock.receive(100, 0)[0] == b"GET /"  # what had come can still be read
    with pytest.raises(ConnectionReset):
        sock.receive(100, 0)
    assert solo.stack.listeners[80].syn_queue_length == 0


def test_a_duplicate_of_the_syn_after_the_connection_delivers_its_data_twice() -> None:
    """RFC 7413 2.1: the price. The first connection is over; the server cannot tell a copy from a new SYN."""
    solo, listener = server()
    read = []
    for _ in range(2):
        syn(solo, b"pay 5", seq=77)
        sock = listener.accept()
        assert sock is not None
        read.append(sock.receive(100, 0)[0])
        sock.abort(0)
    assert read == [b"pay 5", b"pay 5"]


def test_a_retransmitted_syn_whose_data_was_not_accepted_leaves_syn_received() -> None:
    """Its data lies in the window, its SYN does not: RFC 9293 3.10.7.4, fourth, is not reached."""
    solo, _ = server()
    syn(solo, b"GET /", cookie=b"")
    (answer,) = syn(solo, b"GET /", cookie=b"")
    assert answer.ack == 78
    (tcb,) = solo.stack.connections.values()
    assert tcb.state is SYN_RECEIVED


@pytest.mark.parametrize("size", [5, 2, 18])
def test_a_cookie_is_4_to_16_bytes_and_even(size: int) -> None:
    with pytest.raises(ValueError, match=f"fast_open_cookie = {size}: must be"):
        TcpConfig(fast_open_cookie=size)
