"""Who may bind a port that an old connection still has: EADDRINUSE and SO_REUSEADDR."""

import pytest

from netsim.tcp.config.profiles import rfc9293
from netsim.tcp.errors import ConnectionAlreadyExists
from tests.tcp.harness import PORTS, RfcPair


def closed_by(first: str, *, reuse_address: bool = False) -> RfcPair:
    """A, on port 1000, has opened to the server B, on port 2000; ``first`` closed first, and B listens no more."""
    pair = RfcPair(rfc9293(), rfc9293())
    pair.sockets["B"] = listener = pair.socket("B")
    listener.reuse_address = reuse_address
    listener.listen(PORTS["B"])
    pair.open("A")
    pair.settle()
    for end in (first, "B" if first == "A" else "A"):
        pair.call(end, "close")
        pair.settle()
    listener.close(pair.ns)
    return pair


def listen_again(pair: RfcPair, *, reuse_address: bool) -> None:
    again = pair.socket("B")
    again.reuse_address = reuse_address
    again.listen(PORTS["B"])


def test_a_server_that_closed_first_cannot_bind_for_two_msl() -> None:
    """TIME-WAIT sits at the end that closed first: 240 s of it in RFC 9293 3.4.2."""
    pair = closed_by("B")
    assert str(pair.state("B")) == "TIME-WAIT"
    for seconds in (0.0, 239.999):
        pair.wait(seconds)
        with pytest.raises(ConnectionAlreadyExists, match="address already in use: port 2000 of B"):
            listen_again(pair, reuse_address=False)
    pair.wait(0.001)
    listen_again(pair, reuse_address=False)


def test_a_server_whose_client_closed_first_can_bind_immediately() -> None:
    pair = closed_by("A")
    assert (str(pair.state("A")), str(pair.state("B"))) == ("TIME-WAIT", "CLOSED")
    listen_again(pair, reuse_address=False)


@pytest.mark.parametrize(("before", "after"), [(True, False), (False, True), (True, True)])
def test_both_sockets_must_have_had_so_reuseaddr(before: bool, after: bool) -> None:
    """Linux asks both; the connection in TIME-WAIT has the option of the listener that it came from."""
    pair = closed_by("B", reuse_address=before)
    if before and after:
        listen_again(pair, reuse_address=after)
        return
    with pytest.raises(ConnectionAlreadyExists):
        listen_again(pair, reuse_address=after)


def test_two_listeners_never_share_a_port() -> None:
    pair = RfcPair(rfc9293(), rfc9293())
    first, second = pair.socket("B"), pair.socket("B")
    first.reuse_address = second.reuse_address = True
    first.listen(PORTS["B"])
    with pytest.raises(ConnectionAlreadyExists):
        second.bind(PORTS["B"])


def test_the_option_counts_when_bind_is_called() -> None:
    pair = closed_by("B", reuse_address=True)
    late = pair.socket("B")
    with pytest.raises(ConnectionAlreadyExists):
        late.bind(PORTS["B"])
    late.reuse_address = True
    late.bind(PORTS["B"])
    late.listen()
    pair.sockets["B"] = late
    assert PORTS["B"] in pair.stacks["B"].listeners
