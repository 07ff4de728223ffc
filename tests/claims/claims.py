"""What the tutorials say, each sentence with the computation that settles it.

A claim is a function: it runs the core, or asks the theory that other tests hold against the core, and returns what it
found: ``true``, ``half`` or ``false``, and the number in words. The README's table must say the same
(``test_claims.py``), so a change of behaviour shows there.
"""

import math
import random
from collections.abc import Callable, Generator, Iterator
from typing import Any, Final

from netsim import Path, World
from netsim.link import Exponential, Scripted
from netsim.scenarios import forged_open, ports, restart, syn_data, syn_flood, teardown, time_wait, two_way
from netsim.seeds import Seed
from netsim.sim import Host
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ClockIsn, ConstantIsn, HashIsn
from netsim.tcp.config.profiles import freebsd, linux, rfc793, rfc9293
from netsim.tcp.config.sysctl import configure
from netsim.tcp.segment import ACK, FIN, RST, SYN, FourTuple, Segment
from netsim.tcp.socket import Socket
from netsim.tcp.stack import Stack
from netsim.tcp.state import CLOSED, ESTABLISHED, SYN_RECEIVED, TIME_WAIT
from netsim.tcp.timers import NEVER
from netsim.theory import (
    blind_reset,
    connection_rate_ceiling,
    p_segment_accepted,
    saturating_rate,
    teardown_outcome,
)
from netsim.trace import Trace
from netsim.trace.events import Sent

Finding = tuple[str, str]  # true, half or false; the number that settles it
CLAIMS: Final[dict[str, tuple[str, Callable[[], Finding]]]] = {}
TO_SERVER: Final = FourTuple("client", 4000, "server", 80)
LIMIT: Final = 65535  # bytes; the largest window without scaling


def claim(text: str) -> Callable[[Callable[[], Finding]], Callable[[], Finding]]:
    """Enter a sentence with the function that judges it, under the function's name."""

    def enter(judge: Callable[[], Finding]) -> Callable[[], Finding]:
        CLAIMS[judge.__name__] = (text, judge)
        return judge

    return enter


def verdict(*, holds: bool, sometimes: bool = False) -> str:
    """``true``, ``half`` or ``false``."""
    return "true" if holds else "half" if sometimes else "false"


class Server:
    """A lone server stack on port 80, to which segments are handed by hand."""

    def __init__(self, config: TcpConfig) -> None:
        self.stack = Stack("server", lambda name: random.Random(f"claims/{name}"), config)
        self.socket = Socket(self.stack)
        self.socket.listen(80)

    def arrive(self, flags: int, seq: int, ack: int = 0, data: bytes = b"") -> list[Segment]:
        """A segment of the client arrives; the answers."""
        actions = self.stack.on_segment(Segment(TO_SERVER, seq, ack, flags, LIMIT, data), 0)
        return [a.segment for a in actions if hasattr(a, "timer")]

    def half_open(self) -> "Server":
        """With one connection in SYN-RECEIVED."""
        self.arrive(SYN, 100)
        assert self.stack.census() == {SYN_RECEIVED: 1}
        return self

    def lasts(self) -> float:
        """How long (s) its one connection lives when the client is silent; infinite if no timer ends it."""
        now = 0
        while self.stack.connections:
            if self.stack.next_deadline() == NEVER:
                return math.inf
            now = self.stack.next_deadline()
            self.stack.on_timer(now)
        return now / 1e9

    def opened(self, data: bytes = b"", *, on_final_ack: bytes = b"") -> Socket:
        """SYN (with ``data``), and the final ACK (with ``on_final_ack``): the connection from the accept queue."""
        (synack,) = self.arrive(SYN, 100, data=data)
        self.arrive(ACK, synack.ack, synack.seq + 1, on_final_ack)
        accepted = self.socket.accept()
        assert accepted is not None
        return accepted


def talk(config: TcpConfig, *, data: bytes = b"", faults: str = "") -> World:
    """A connection from start to end between hosts 50 ms apart: the client sends ``data`` and closes first."""
    world = World(seed=1, trace=True)
    client, server = world.host("client", config), world.host("server", config)
    world.link(client, server, Path(delay=0.05, stages=[Scripted(faults)] if faults else []), Path(delay=0.05))
    world.process(_serve(server))
    world.process(_speak(client, server, data))
    world.run(1000)
    return world


def _speak(host: Host, peer: Host, data: bytes) -> Generator[Any, Any, None]:
    sock = host.socket()
    yield sock.connect((peer, 80))
    if data:
        yield sock.send(data)
    sock.shutdown()
    while (yield sock.recv()):
        pass
    sock.close()


def _serve(host: Host) -> Generator[Any, Any, None]:
    listener = host.socket()
    listener.listen(80)
    sock = yield listener.accept()
    while (yield sock.recv()):
        pass
    sock.close()


def sent(trace: Trace, host: str | None = None) -> Iterator[Segment]:
    """The segments that a host sent, or all, in order."""
    for event in trace:
        if isinstance(event, Sent) and host in (None, event.host):
            yield event.packet.segment


@claim("The first SYN cannot carry data")
def data_on_the_first_syn() -> Finding:
    """RFC 9293 3.10.7.2 queues it until ESTABLISHED; Linux takes none without a Fast Open cookie (RFC 7413)."""
    taken = {}
    for config in (rfc9293(), linux()):
        text = Server(config).opened(b"hello").receive(100, 0)[0] or b""
        taken[config.name] = len(text)
    number = f"{taken['rfc9293']} of 5 bytes delivered by RFC 9293, {taken['linux']} by Linux without Fast Open"
    return verdict(holds=max(taken.values()) == 0), number


@claim("The final ACK of the handshake cannot carry data")
def data_on_the_final_ack() -> Finding:
    taken = {
        c.name: len(Server(c).opened(on_final_ack=b"x" * 100).receive(100, 0)[0] or b"") for c in (rfc9293(), linux())
    }
    return verdict(holds=max(taken.values()) == 0), f"{min(taken.values())} of 100 bytes delivered by either"


@claim("An ACK without data takes no sequence number")
def an_ack_takes_no_number() -> Finding:
    """The handshake's final ACK and the first data have the same number."""
    syn, third, text, *_ = sent(talk(rfc9293(), data=b"x" * 10).trace, "client")
    assert (syn.flags, third.flags & (SYN | FIN), len(text.payload)) == (SYN, 0, 10)
    step = text.seq - third.seq
    return verdict(holds=step == 0), f"{step}: the data after the handshake's final ACK has the same number"


@claim("The server's FIN has a fresh random number")
def the_servers_fin_is_random() -> Finding:
    """It has the number after the server's last byte; a random one would lie outside the client's window."""
    server = list(sent(talk(rfc9293()).trace, "server"))
    fin = next(s for s in server if s.flags & FIN)
    p = p_segment_accepted(length=1, window=LIMIT)
    return verdict(
        holds=fin.seq != server[0].seq + 1
    ), f"a random number is acceptable with probability {p:.2g}; it is ISS + {fin.seq - server[0].seq}"


@claim("The final ACK of the handshake has SYN=1")
def the_final_ack_has_syn() -> Finding:
    first, second, third = (s.flags & SYN != 0 for s, _ in zip(sent(talk(rfc9293()).trace), range(3), strict=False))
    return verdict(holds=third), f"SYN is {int(first)}, {int(second)}, {int(third)} on the three"


@claim("Closing always takes four segments")
def closing_takes_four() -> Finding:
    """RFC 9293 acknowledges a FIN immediately; on Linux the ACK is piggybacked on the FIN of a quick server."""
    clean: dict[str, Any] = {"loss_forward": 0.0, "loss_reverse": 0.0}
    four, three, one = (
        teardown.run(teardown.Params(**clean, **changes), Seed(1))["segments"]
        for changes in ({}, {"client": linux(), "server": linux()}, {"close": "abort"})
    )
    number = f"{four} by RFC 9293, {three} on Linux if the server closes immediately, {one} by ABORT"
    return verdict(holds={three, one} == {4}), number


@claim("Opening could take two segments")
def opening_in_two() -> Finding:
    """A late SYN opens a connection that nobody wants, unless the server remembers for longer than a packet lives."""
    point = two_way.Params(
        handshake="two-way", duplicate=0.1, duplicate_delay=Exponential(5.0), server_memory=0.0, service_time=1.0
    )
    ghosts = two_way.theory(point)["p_ghost"]
    counted = sum(row["ghost"] for row in (two_way.run(point, Seed(3, "", k)) for k in range(400)))
    assert abs(counted - 400 * ghosts) < 3.9 * math.sqrt(400 * ghosts * (1 - ghosts))
    safe = two_way.theory(two_way.Params(handshake="two-way", duplicate=0.1, msl=30.0, server_memory=31.0))["p_ghost"]
    number = (
        f"{ghosts:.2g} ghost connections per connection if 10 % of the SYNs have a delayed duplicate (5 s), "
        f"{safe:g} if the server remembers"
    )
    return verdict(holds=ghosts == 0, sometimes=safe == 0), number


@claim("Opening needs four segments")
def opening_needs_four() -> Finding:
    point = two_way.Params(handshake="three-way", duplicate=0.0)
    three, four = (two_way.run(p, Seed(1)) for p in (point, two_way.Params(handshake="four-way", duplicate=0.0)))
    assert (three["ghosts"], four["ghosts"]) == (0, 0)
    needed, apart = three["segments_until_established"], four["segments_until_established"]
    return verdict(
        holds=needed >= 4
    ), f"{needed:g}: one segment carries SYN and ACK; with two segments for them it is {apart:g}"


@claim("After 2MSL the last ACK has surely arrived")
def the_last_ack_has_arrived() -> Finding:
    """Nine FINs lost with .3, their answers with .2: .44^9 are never answered, however long TIME-WAIT lasts."""
    exact = teardown_outcome(fin_intervals=[0.2] * 9, time_wait=240.0, loss_fin=0.3, loss_answer=0.2)
    lost = time_wait.Params(loss_forward=1.0, loss_reverse=0.0)
    row = time_wait.run(lost, Seed(1))
    assert (row["outcome"], row["time_wait_duration"]) == (
        "timeout",
        495.0,
    )  # the client left TIME-WAIT, and never knew
    return verdict(
        holds=exact.p_timeout == 0
    ), f"{exact.p_timeout:.3g} of servers time out without an answer (losses .3 and .2, nine FINs)"


@claim("Both sides surely end CLOSED")
def both_end_closed() -> Finding:
    """The only RST is lost: the server has nothing to repeat, and no timer."""
    point = teardown.Params(close="abort", loss_forward=0.1)
    row = teardown.run(teardown.Params(close="abort", loss_forward=1.0), Seed(1))
    assert (row["client_state"], row["server_state"]) == ("CLOSED", "ESTABLISHED")
    p = teardown.theory(point)["p_server_never_closed"]
    return verdict(holds=p == 0), f"{p:g} of servers stay ESTABLISHED without end after ABORT, at a loss of {p:g}"


@claim("A half-open connection is freed after about a minute")
def half_open_is_freed() -> Finding:
    """In SYN-RECEIVED by the SYN-ACK timer; once ESTABLISHED by keep-alive, which is off (RFC 9293 3.8.4)."""
    held = {config.name: Server(config).half_open().lasts() for config in (linux(), rfc9293())}
    idle, watched = (Server(linux().replace(keepalive=on)) for on in (False, True))
    for server in (idle, watched):
        server.opened()
    forever = {math.inf: "never"}.get(idle.lasts(), "for a while")
    number = (
        f"SYN-RECEIVED: {held['linux']:g} s on Linux, {held['rfc9293']:g} s by RFC 9293; "
        f"ESTABLISHED: {forever}, {watched.lasts():g} s with keep-alive"
    )
    return verdict(holds=max(*held.values(), idle.lasts()) < 75, sometimes=50 < held["linux"] < 75), number


@claim("Random initial numbers make old segments harmless")
def random_isns_are_safe() -> Finding:
    small, large = (p_segment_accepted(length=1460, window=w) for w in (LIMIT, 1 << 30))
    return verdict(
        holds=large == 0, sometimes=small < 1e-4
    ), f"one old segment is accepted with probability {small:.2g}; {large:.2g} with a window of 1 GiB"


@claim("TIME-WAIT lasts four minutes")
def time_wait_lasts_four_minutes() -> Finding:
    held = {}
    for config in (rfc9293(), linux(), freebsd()):
        row = time_wait.run(time_wait.Params(client=config, loss_forward=0.0, loss_reverse=0.0), Seed(1))
        held[config.name] = row["time_wait_duration"]
    number = f"{held['rfc9293']:g} s by RFC 9293, {held['linux']:g} s on Linux, {held['freebsd']:g} s on FreeBSD"
    return verdict(holds=set(held.values()) == {240.0}, sometimes=240.0 in held.values()), number


@claim("TIME-WAIT belongs to the client")
def time_wait_is_the_clients() -> Finding:
    """To the end that closes first; to both if both close simultaneously (RFC 9293 figures 12 and 13)."""
    clean: dict[str, Any] = {"loss_forward": 0.0, "loss_reverse": 0.0}
    at = [
        time_wait.run(time_wait.Params(closes_first=end, **clean), Seed(1))["time_wait_at"]
        for end in ("client", "server")
    ]
    both = teardown.run(teardown.Params(close="simultaneous", **clean), Seed(1))
    ends = sum(both[f"{end}_outcome"] == "TIME-WAIT" for end in ("client", "server"))
    number = f"the {at[0]} if it closes first, the {at[1]} if it does, {ends} ends if both close simultaneously"
    return verdict(holds=at[1] == "client"), number


@claim("Knowing the four-tuple is enough to reset a connection")
def the_four_tuple_is_enough() -> Finding:
    """RFC 793 asks for a number in the window, RFC 5961 for the very next one; the rest draws a challenge ACK."""
    ended = {}
    for config in (rfc793(), rfc9293()):
        server = Server(config)
        accepted = server.opened()
        server.arrive(RST, 101 + 1000)
        ended[config.name] = accepted.state is CLOSED
    assert ended == {"rfc793": True, "rfc9293": False}
    old, new = (blind_reset(window=LIMIT, rules=rules).mean for rules in ("rfc793", "rfc5961"))
    number = f"{old:,.0f} RSTs on average under RFC 793 (window 65,535), {new:,.0f} under RFC 5961"
    return verdict(holds=old == new == 1, sometimes=old < 1e5), number


@claim("SYN cookies cost nothing")
def cookies_cost_nothing() -> Finding:
    """No entry, so no SYN-ACK timer: if the final ACK is lost, only the client is ESTABLISHED, without end."""
    states = {}
    for cookies in ("off", "always"):
        config = rfc9293().replace(syn_cookies=cookies)
        world = World(seed=1)
        client, server = world.host("client", config), world.host("server", config)
        world.link(client, server, Path(delay=0.05, stages=[Scripted("drop HSACK 1")]), Path(delay=0.05))
        listener, sock = server.socket(), client.socket()
        listener.listen(80)
        sock.connect((server, 80))
        world.run(1000)
        assert sock.state is ESTABLISHED
        states[cookies] = server.states.get(ESTABLISHED, 0)
    number = (
        f"if the handshake's final ACK is lost: {states['always']} servers in ESTABLISHED with cookies, "
        f"{states['off']} without"
    )
    return verdict(holds=states["always"] == states["off"]), number


@claim("A simultaneous open makes two connections")
def simultaneous_open_makes_two() -> Finding:
    world = World(seed=1)
    left, right = world.host("left"), world.host("right")
    world.link(left, right, Path(delay=0.05))
    for host, peer, mine, yours in ((left, right, 1000, 2000), (right, left, 2000, 1000)):
        sock = host.socket()
        sock.bind(mine)
        sock.connect((peer, yours))
    world.run(10)
    censuses = [host.states for host in (left, right)]
    assert all(census == {ESTABLISHED: sum(census.values())} for census in censuses)
    most = max(sum(census.values()) for census in censuses)
    return verdict(holds=most == 2), f"{most} connection at either end, ESTABLISHED"


@claim("A server can be started again at once")
def a_server_starts_again() -> Finding:
    clean: dict[str, Any] = {"loss_forward": 0.0, "loss_reverse": 0.0, "server": linux(), "client": linux()}
    plain, shared = (
        restart.run(restart.Params(reuse_address=on, **clean), Seed(1))["bind_wait"] for on in (False, True)
    )
    return verdict(
        holds=plain == 0, sometimes=shared == 0
    ), f"EADDRINUSE for {plain:g} s on Linux if it closed first, {shared:g} s with SO_REUSEADDR"


@claim("A client can open as many connections as it likes, one after the other")
def a_client_never_runs_out() -> Finding:
    """Its port waits in TIME-WAIT when it closes first."""
    row = ports.run(ports.Params(arrivals="regular", connection_rate=10.0, local_ports=5), Seed(1))
    assert row["first_failure_time"] == 0.6
    last, first = linux().ports.last, linux().ports.first
    ceiling = connection_rate_ceiling(ports=last - first + 1, time_wait=linux().time_wait)
    count = last - first + 1
    number = f"{ceiling:.1f} per second to one server on Linux: {count:,} ports for {linux().time_wait:g} s each"
    return verdict(holds=not row["any_open_failed"]), number


@claim("A RST in TIME-WAIT does no harm")
def a_reset_in_time_wait_is_harmless() -> Finding:
    """RFC 1337: one late segment draws an ACK, the ACK a RST, and the RST ends TIME-WAIT."""
    held = {}
    for rst in ("accept", "ignore"):
        world = World(seed=1, trace=True)
        config = rfc9293().replace(time_wait_rst=rst)
        client, server = world.host("client", config), world.host("server", config)
        world.link(client, server, Path(delay=0.05), Path(delay=0.05, stages=[Scripted("dup FIN 1 1.0")]))
        world.process(_serve(server))
        world.process(_speak(client, server, b""))
        world.run(5)
        held[rst] = client.states.get(TIME_WAIT, 0)
    return verdict(
        holds=held["accept"] == 1
    ), f"one late FIN leaves {held['accept']} of 1 TIME-WAIT, {held['ignore']} if RSTs are ignored (RFC 1337, F1)"


@claim("Data on the SYN saves a round trip")
def data_on_the_syn_saves_a_round_trip() -> Finding:
    calm: dict[str, Any] = {"attack_rate": 0.0, "attack_duration": 5.0}
    client, server = rfc9293().replace(fast_open="client"), rfc9293().replace(fast_open="server")
    daring = client.replace(fast_open_without_cookie=True)
    held = syn_data.run(syn_data.Params(client=daring, **calm), Seed(1))["response_time"]
    fast = syn_data.run(syn_data.Params(client=client, server=server, **calm), Seed(1))["response_time"]
    number = f"of two, 0.1 s each: answered after {held:.1f} s if the data is queued, {fast:.1f} s with Fast Open"
    return verdict(holds=held < 0.15, sometimes=fast < 0.15), number


@claim("TCP delivers every byte once")
def every_byte_once() -> Finding:
    """The network copies every segment of the client; the copy of the SYN comes when the connection is over."""
    fast = {"client": rfc9293().replace(fast_open="client"), "server": rfc9293().replace(fast_open="server")}
    shares = {}
    for name, ends in (("handshake", {}), ("Fast Open", fast)):
        params = syn_data.Params(attack_rate=0.0, attack_duration=5.0, duplicate=1.0, **ends)  # type: ignore[arg-type]
        shares[name] = syn_data.run(params, Seed(1))["delivered_twice"]
    plain, fast_open = shares["handshake"], shares["Fast Open"]
    number = f"{plain:g} of requests are delivered twice after a handshake, {fast_open:g} with Fast Open"
    return verdict(holds=not any(shares.values()), sometimes=shares["handshake"] == 0), number


@claim("tcp_fin_timeout shortens TIME-WAIT")
def fin_timeout_shortens_time_wait() -> Finding:
    world = World(seed=1)
    config = configure(linux(), {"net.ipv4.tcp_fin_timeout": 5})
    client, server = world.host("client", config), world.host("server", config)
    world.link(client, server, Path(delay=0.05))
    world.process(_serve(server))
    world.process(_speak(client, server, b""))
    held = []
    for until in (10, 58, 65):
        world.run(until)
        held.append(client.states.get(TIME_WAIT, 0))
    number = f"at 5 s TIME-WAIT still lasts {config.time_wait:g}: {held} of 1 left after 10, 58 and 65 s"
    return verdict(holds=held[0] == 0), number


@claim("An off-path attacker cannot open a connection with a spoofed address")
def nobody_opens_blindly() -> Finding:
    """Morris 1985, one guess after a sample; 1 ms of jitter."""
    isns = {"a constant ISN": ConstantIsn(), "RFC 793's clock": ClockIsn(), "RFC 6528": HashIsn()}
    chance = {
        name: forged_open.theory(forged_open.Params(server=rfc9293().replace(isn=isn)))["p_opened"]
        for name, isn in isns.items()
    }
    row = forged_open.run(forged_open.Params(server=rfc9293().replace(isn=ConstantIsn())), Seed(1))
    number = ", ".join(f"{p:.2g} with {name}" for name, p in chance.items())
    return verdict(holds=not row["opened"], sometimes=chance["RFC 6528"] < 1e-9), f"P(one guess opens it): {number}"


@claim("A bigger backlog stops a SYN flood")
def a_bigger_backlog_is_enough() -> Finding:
    """B / T: what fills a queue of entries that live 63 s; at ten times that rate nearly everybody is shut out."""
    rates = {backlog: saturating_rate(slots=backlog, entry_lifetime=63.0) for backlog in (128, 4096)}
    left = {
        backlog: syn_flood.theory(
            syn_flood.Params(backlog=backlog, attack_rate=10 * rate, server=rfc9293().replace(synack_retries=5))
        )["p_served_at_first_syn"]
        for backlog, rate in rates.items()
    }
    number = (
        f"{rates[128]:.2f} SYNs per second fill 128 slots, {rates[4096]:.0f} fill 4,096; "
        f"at ten times that rate {left[4096]:.2g} of first SYNs get a slot"
    )
    return verdict(holds=left[4096] > 0.9), number
