"""SYN cookies: both layouts bit by bit, how long they live, what a guess is worth, and what the final ACK restores.

The tests read cookies with their own arithmetic on known hashes, not with the code's.
"""

import random

import pytest

from netsim.tcp.config import syn_cookie as cookies
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import linux, rfc9293
from netsim.tcp.config.syn_cookie import BernsteinCookie, SynCookie, TimestampCookie, stamped
from netsim.tcp.segment import ACK, RST, SYN, FourTuple, Options, Segment
from netsim.tcp.socket import Socket
from netsim.tcp.state import CLOSED, ESTABLISHED, SYN_RECEIVED
from tests.tcp.harness import PEER_ISS, Pair, Solo

MINUTE = 60 * 10**9
FLOW = FourTuple("a", 80, "b", 4000)
KEY = b"sixteen byte key"
PEER = Options(mss=1460, wscale=7, sack_permitted=True, ts_val=77)
IN = FourTuple("b", 4000, "a", 80)


def make(layout: SynCookie, now: int, *, mss: int = 1460, irs: int = 0, key: bytes = KEY, phase: int = 0) -> int:
    return layout.make(irs=irs, flow=FLOW, mss=mss, now=now, key=key, phase=phase)


def check(layout: SynCookie, cookie: int, now: int, *, irs: int = 0, key: bytes = KEY, phase: int = 0) -> int | None:
    return layout.check(cookie=cookie, irs=irs, flow=FLOW, now=now, key=key, phase=phase)


# Layout


def test_bernstein_bits_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """t = 34 (2176 s): 34 mod 32 = 2 on top; 1024 is entry 3, 1460 entry 5; the hash is cut to 24 bits."""
    monkeypatch.setattr(cookies, "_hash", lambda key, flow, count, use: 0xAB123456)
    cookie = make(BernsteinCookie(), 34 * 64 * 10**9, mss=1200, irs=7)
    assert cookie == 7 + 2 * 2**27 + 3 * 2**24 + 0x123456
    assert make(BernsteinCookie(), 0, mss=1460, irs=2**32 - 1) == 5 * 2**24 + 0x123456 - 1


def test_linux_bits_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """h1 + IRS + (minutes << 24) + ((h2 + index) mod 2^24); the minutes reach bit 31 and fall off."""
    monkeypatch.setattr(cookies, "_hash", lambda key, flow, count, use: 0xFF000002 if use else 0x100)
    assert make(TimestampCookie(), 3 * MINUTE, mss=1440, irs=5) == 0x100 + 5 + 3 * 2**24 + (2 + 2)
    assert make(TimestampCookie(), 257 * MINUTE, mss=536, irs=0) == 0x100 + 1 * 2**24 + 2
    monkeypatch.setattr(cookies, "_hash", lambda key, flow, count, use: 0xFFFFFF if use else 0)
    assert make(TimestampCookie(), 0, mss=1460) == 2  # (2^24 - 1 + 3) mod 2^24: no carry into the minutes


@pytest.mark.parametrize(
    ("mss", "expected"),
    [
        (1, 536),
        (535, 536),
        (536, 536),
        (1299, 536),
        (1300, 1300),
        (1439, 1300),
        (1459, 1440),
        (1460, 1460),
        (9000, 1460),
    ],
)
def test_mss_is_rounded_down_in_the_table(mss: int, expected: int) -> None:
    """536, 1300, 1440, 1460 (net/ipv4/syncookies.c); a smaller MSS gets the minimum."""
    layout = TimestampCookie()
    assert check(layout, make(layout, 0, mss=mss), 0) == expected


def test_a_custom_mss_table() -> None:
    layout = BernsteinCookie((100, 1400))
    assert check(layout, make(layout, 0, mss=1399), 0) == 100
    assert check(layout, make(layout, 0, mss=1400), 0) == 1400


@pytest.mark.parametrize("table", [(), (0,), (5, 5), (2, 1), (1, 65536), tuple(range(1, 10)), [536]])
def test_tables_out_of_range(table: tuple[int, ...]) -> None:
    for layout in (BernsteinCookie, TimestampCookie):
        with pytest.raises(ValueError, match=rf"^{layout.__name__}\.mss = .*: must be 1 to 8 rising sizes"):
            layout(table)


# Age


@pytest.mark.parametrize(("layout", "period"), [(TimestampCookie(), 60.0), (BernsteinCookie(), 64.0)])
@pytest.mark.parametrize("age", [0.5, 1.0, 1.25, 1.5, 1.9, 2.0, 2.5])
def test_validity_over_age(layout: SynCookie, period: float, age: float) -> None:
    """Made at a uniform phase of the period and read ``age`` periods later, it counts with clip(2 - age, 0, 1)."""
    step = round(period * 1e9) // 100
    valid = sum(
        check(layout, make(layout, k * step + step // 2), k * step + step // 2 + round(age * period * 1e9)) is not None
        for k in range(100)
    )
    assert valid / 100 == pytest.approx(min(max(2 - age, 0), 1), abs=1e-9)


def test_the_clock_of_a_cookie_wraps() -> None:
    """Five bits of 64 s: after 32 ticks t mod 32 is the same again, and only the hash tells old from new."""
    layout = BernsteinCookie()
    assert check(layout, make(layout, 0), 32 * 64 * 10**9) is None


def test_other_reasons_why_a_cookie_is_invalid() -> None:
    layout = TimestampCookie()
    cookie = make(layout, 0, irs=9)
    assert check(layout, cookie, 0, irs=9) == 1460
    assert check(layout, cookie, 0, irs=8) is None
    assert check(layout, cookie, 0, irs=10) == 1440  # IRS is only added: one more there is one less in the MSS index
    assert check(layout, cookie, 0, irs=9, key=b"another") is None
    assert check(layout, cookie, 0, irs=9, phase=2 * MINUTE) is None


# Forgery


@pytest.mark.parametrize(("layout", "accepted"), [(TimestampCookie(), 2 * 4), (BernsteinCookie(), 2 * 8)])
def test_how_many_of_all_numbers_are_accepted(
    monkeypatch: pytest.MonkeyPatch, layout: SynCookie, accepted: int
) -> None:
    """Two periods and one number for each MSS: 8 of 2^32 (Linux), 16 (Bernstein).

    Hashes that leave the low 24 bits within 1,000 numbers, so that all that could be accepted are enumerated.
    """
    rng = random.Random(5)
    values = {(count, use): rng.randrange(900) for count in range(60) for use in (0, 1)}
    monkeypatch.setattr(cookies, "_hash", lambda key, flow, count, use: values[count, use])
    now = 40 * MINUTE
    found = [
        top << 24 | low
        for top in range(256)
        for low in range(2000)
        if check(layout, top << 24 | low, now, irs=0) is not None
    ]
    assert len(found) == len(set(found)) == accepted


def test_no_other_number_of_the_space_is_accepted() -> None:
    """A million guesses at 8 of 2^32: more than two hits would have probability 1e-9."""
    layout = TimestampCookie()
    rng = random.Random(6)
    assert sum(check(layout, rng.getrandbits(32), 5 * MINUTE) is not None for _ in range(200_000)) <= 2


# Timestamps


@pytest.mark.parametrize(
    ("clock", "wscale", "sack", "expected"),
    [
        (64, 0, False, 64),
        (64 + 23, 7, True, 64 + 16 + 7),
        (64 + 22, 7, True, 16 + 7),
        (200, None, False, 192 - 64 + 15 + 64),
    ],
)
def test_low_bits_of_the_timestamp(clock: int, wscale: int | None, sack: bool, expected: int) -> None:
    """Bits 3..0 the scale (15: none), bit 4 SACK, bit 5 ECN; never later than the clock (cookie_init_timestamp)."""
    assert stamped(clock, wscale, sack=sack) == (expected if expected <= clock else expected - 64)


# At a listener


class Host:
    """A stack that listens on port 80 with one slot in its SYN queue, and its peers."""

    def __init__(self, config: TcpConfig, backlog: int = 1) -> None:
        self.solo = Solo(config, iss=None)
        self.socket = Socket(self.solo.stack)
        self.socket.listen(80, backlog)
        self.counters = self.solo.stack.counters

    def syn(self, port: int = 4000, options: Options | None = PEER) -> list[Segment]:
        return self.solo.feed(SYN, PEER_ISS, flow=IN._replace(sport=port), options=options)

    def ack(self, synack: Segment, *, data: bytes = b"", options: Options | None = None) -> list[Segment]:
        stamps = synack.options is not None and synack.options.ts_val is not None
        if stamps and options is None:
            assert synack.options is not None
            options = Options(ts_val=78, ts_ecr=synack.options.ts_val)
        ack = (synack.seq + 1) & 0xFFFFFFFF
        return self.solo.feed(ACK, PEER_ISS + 1, ack, flow=synack.flow.reverse(), data=data, options=options)

    def tcb(self, port: int = 4000):  # type: ignore[no-untyped-def]
        return self.solo.stack.connections.get(IN._replace(sport=port))


ALWAYS = linux().replace(syn_cookies="always")


def test_nothing_is_stored_and_every_option_is_restored() -> None:
    host = Host(ALWAYS)
    (synack,) = host.syn()
    assert not host.solo.stack.connections
    assert host.solo.stack.next_deadline() > 1 << 60  # no SYN-ACK timer
    assert synack.options is not None
    assert (synack.options.mss, synack.options.wscale, synack.options.sack_permitted) == (1460, 10, True)
    assert host.ack(synack, data=b"hello") != []
    tcb = host.tcb()
    assert tcb.state is ESTABLISHED
    assert (tcb.snd_wscale, tcb.rcv_wscale, tcb.sack_ok, tcb.ts_ok, tcb.ts_recent) == (7, 10, True, True, 78)
    assert tcb.snd_mss == 1460 - 12
    tcb.check()
    taken = host.socket.accept()
    assert taken is not None
    assert taken.receive(10, host.solo.ns)[0] == b"hello"
    counters = host.counters
    assert (counters.TcpExtSyncookiesSent, counters.TcpExtSyncookiesRecv, counters.TcpExtSyncookiesFailed) == (1, 1, 0)
    assert counters.TcpPassiveOpens == 1


def test_options_are_lost_without_timestamps() -> None:
    host = Host(ALWAYS)
    (synack,) = host.syn(options=Options(mss=1459, wscale=7, sack_permitted=True))
    assert synack.options == Options(mss=1460)
    host.ack(synack)
    tcb = host.tcb()
    assert (tcb.snd_mss, tcb.scaling, tcb.sack_ok, tcb.ts_ok) == (1440, False, False, False)


def test_bernstein_loses_them_with_timestamps_too() -> None:
    host = Host(ALWAYS.replace(syn_cookie=BernsteinCookie()))
    (synack,) = host.syn()
    assert synack.options == Options(mss=1460)
    host.ack(synack)
    assert (host.tcb().scaling, host.tcb().sack_ok, host.tcb().ts_ok) == (False, False, False)


def test_a_syn_takes_a_slot_and_only_the_overflow_gets_cookies() -> None:
    """Linux, backlog 1: two entries, then cookies; an ACK is looked at for one only within 120 s of the last."""
    host = Host(linux())
    assert len([synack for port in (1, 2, 3) for synack in host.syn(port)]) == 3
    assert host.solo.stack.census() == {SYN_RECEIVED: 2}
    counters = host.counters
    assert counters.TcpExtTCPReqQFullDoCookies == counters.TcpExtSyncookiesSent == 1
    assert counters.TcpExtTCPReqQFullDrop == counters.TcpExtListenDrops == 0


@pytest.mark.parametrize(("wait", "looked_at"), [(120.0, True), (120.001, False)])
def test_cookies_are_forgotten_two_minutes_after_the_overflow(wait: float, looked_at: bool) -> None:
    host = Host(linux())
    synacks = [synack for port in (1, 2, 3) for synack in host.syn(port)]
    host.solo.advance(wait)
    assert [s.flags for s in host.ack(synacks[2])] == [RST]  # too old by now in any case
    assert host.counters.TcpExtSyncookiesFailed == looked_at
    host = Host(linux())
    assert [s.flags for s in host.solo.feed(ACK, 1, 1, flow=IN)] == [RST]
    assert host.counters.TcpExtSyncookiesFailed == 0


def test_a_full_accept_queue_drops_the_ack_of_a_cookie() -> None:
    """tcp_get_cookie_sock finds no room: silence, and the client is ESTABLISHED alone and never learns of it."""
    host = Host(ALWAYS.replace(backlog_slack=0))
    synacks = [synack for port in (1, 2) for synack in host.syn(port)]
    assert host.ack(synacks[0]) == []
    assert host.ack(synacks[1]) == []
    assert host.tcb(2) is None
    assert host.counters.TcpExtListenOverflows == host.counters.TcpExtListenDrops == 1
    assert host.syn(3) == []  # with the accept queue full no cookie is sent either


@pytest.mark.parametrize(("cookies_on", "state"), [("off", ESTABLISHED), ("always", CLOSED)])
def test_the_final_ack_is_lost(cookies_on: str, state: object) -> None:
    """With an entry the SYN-ACK timer asks again; with a cookie nobody does, and the client waits without end."""
    lost = iter([True])
    config = linux().replace(syn_cookies=cookies_on)

    def link(now: float, sender: str, segment: Segment, nth: int) -> list[float]:
        third = sender == "a" and nth == 2
        return [] if third and next(lost, False) else [0.05]

    pair = Pair(config, link=link)
    listener, client = pair.socket("b"), pair.socket("a")
    listener.listen(80, 4)
    client.bind(4000)
    client.connect("b", 80, pair.ns)
    pair.run(3600)
    assert client.state is ESTABLISHED
    tcb = pair.stacks["b"].connections.get(FourTuple("a", 4000, "b", 80))
    assert (tcb.state if tcb is not None else CLOSED) is state


def test_a_cookie_gives_no_rtt_sample() -> None:
    host = Host(rfc9293().replace(syn_cookies="always"))
    (synack,) = host.syn()
    host.solo.advance(0.1)
    host.ack(synack)
    assert host.tcb().rtt is None
    assert host.tcb().rto == 10**9


@pytest.mark.parametrize("key", ["xyz", "abc", "00" * 65])
def test_keys_out_of_range(key: str) -> None:
    with pytest.raises(ValueError, match=r"^syn_cookie_key = .*: must be 0 to 64 bytes in hexadecimal, or None"):
        TcpConfig(syn_cookie_key=key)


def test_a_key_decides_the_cookies() -> None:
    def cookie(seed: int, key: str | None) -> int:
        solo = Solo(ALWAYS.replace(syn_cookie_key=key, syn_cookie=BernsteinCookie()), iss=None, seed=seed)
        Socket(solo.stack).listen(80, 4)
        return solo.feed(SYN, PEER_ISS, flow=IN)[0].seq & 0xFFFF

    assert cookie(1, "00ff") != cookie(1, "00fe")
    assert cookie(1, None) != cookie(2, None)
