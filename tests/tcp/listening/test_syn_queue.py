"""Who gets a place in the SYN queue: eviction, the SYN cache, Linux's rules (tcp_conn_request, reqsk_timer_handler)."""

import collections

import pytest

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import freebsd, linux, rfc9293
from netsim.tcp.segment import ACK, RST, SYN, FourTuple, Segment
from netsim.tcp.socket import Socket
from netsim.tcp.state import ESTABLISHED, State
from tests.tcp.harness import PEER_ISS, Solo

LINUX_0 = linux().replace(syn_cookies="off")


class Server:
    """A stack that listens on port 80, and peers c0, c1, ..."""

    def __init__(self, config: TcpConfig, backlog: int) -> None:
        self.solo = Solo(config)
        self.socket = Socket(self.solo.stack)
        self.socket.listen(80, backlog)
        listener = self.socket.listener
        assert listener is not None
        self.listener = listener
        self.counters = self.solo.stack.counters

    def flow(self, k: int) -> FourTuple:
        return FourTuple(f"c{k}", 4000, "a", 80)

    def syn(self, k: int) -> list[Segment]:
        return self.solo.feed(SYN, PEER_ISS, flow=self.flow(k))

    def ack(self, k: int) -> list[Segment]:
        return self.solo.feed(ACK, PEER_ISS + 1, 1001, flow=self.flow(k))

    def held(self) -> list[int]:
        return [int(flow.src[1:]) for flow in self.solo.stack.connections]

    def state(self, k: int) -> State | None:
        tcb = self.solo.stack.connections.get(self.flow(k))
        return tcb.state if tcb is not None else None


def test_recycle_oldest() -> None:
    server = Server(rfc9293().replace(syn_queue_full="recycle-oldest"), 3)
    for k in range(5):
        assert len(server.syn(k)) == 1
    assert server.held() == [2, 3, 4]
    assert server.listener.syn_queue_length == server.listener.young == 3
    assert [s.flags for s in server.ack(0)] == [RST]  # its entry has gone
    server.ack(2)
    assert server.state(2) is ESTABLISHED
    server.syn(5)
    server.syn(6)
    assert server.held() == [2, 4, 5, 6]
    server.solo.advance(300)
    assert (server.listener.syn_queue_length, server.listener.young, server.held()) == (0, 0, [2])


def test_random_drop_evicts_every_entry_alike() -> None:
    """Ten entries and one newcomer, 2,000 times: each place must lose 200 +- 4 sigma (54)."""
    lost: collections.Counter[int] = collections.Counter()
    server = Server(rfc9293().replace(syn_queue_full="random-drop"), 10)
    for k in range(10):
        server.syn(k)
    for k in range(10, 2010):
        before = server.held()
        server.syn(k)
        gone = set(before) - set(server.held())
        assert len(gone) == 1
        lost[before.index(gone.pop())] += 1
    assert server.listener.syn_queue_length == 10
    assert set(lost) == set(range(10))
    # By age the ages of the remaining entries differ, but each new SYN takes any of them with equal probability.
    assert all(abs(count - 200) <= 54 for count in lost.values())


def test_the_syn_cache_evicts_in_its_own_bucket_only() -> None:
    """Two buckets of two: the evicted entry is the oldest in the bucket of the new SYN."""
    server = Server(rfc9293().replace(syncache_hashsize=2, syncache_bucketlimit=2), 1)
    order: dict[int, int] = {}  # bucket of each peer, found by which entry each SYN evicts
    for k in range(40):
        before = server.held()
        server.syn(k)
        gone = [j for j in before if j not in server.held()]
        assert len(gone) <= 1
        if gone:
            order[k] = gone[0]
    assert server.listener.syn_queue_length == 4
    buckets: dict[int, int] = {}
    for newer, older in order.items():  # the same bucket as the one it drove out
        buckets[newer] = buckets.setdefault(older, older)
    for root in set(buckets.values()):
        members = [k for k in sorted(buckets) if buckets[k] == root]
        assert members == sorted(members)
    assert len(order) == 36


def test_the_hash_of_the_cache_is_secret() -> None:
    """Two hosts with other keys put the same peers into other buckets."""

    def evictions(seed: int) -> list[int]:
        solo = Solo(freebsd().replace(syncache_hashsize=8, syncache_bucketlimit=1), seed=seed)
        Socket(solo.stack).listen(80, 1)
        for k in range(30):
            solo.feed(SYN, PEER_ISS, flow=FourTuple(f"c{k}", 4000, "a", 80))
        return sorted(int(flow.src[1:]) for flow in solo.stack.connections)

    assert evictions(1) == evictions(1)
    assert evictions(1) != evictions(2)


# Linux


@pytest.mark.parametrize(
    ("backlog", "most", "cookies", "entries"),
    [
        (100, 128, "off", 97),  # 128 - qlen < 32 first at qlen 97
        (100, 2048, "off", 101),
        (50, 128, "off", 51),
        (100, 128, "on-overflow", 101),  # with cookies nothing is kept back
        (100, 1, "off", 2),
    ],
)
def test_the_last_quarter_is_reserved(backlog: int, most: int, cookies: str, entries: int) -> None:
    server = Server(linux().replace(syn_cookies=cookies, max_syn_backlog=most), backlog)
    for k in range(130):
        server.syn(k)
    assert server.listener.syn_queue_length == entries
    full = server.listener.syn_queue_length > backlog
    counters = server.counters
    assert counters.TcpExtTCPReqQFullDrop == (130 - entries if full and cookies == "off" else 0)
    assert counters.TcpExtListenDrops == (130 - entries if cookies == "off" else 0)


@pytest.mark.parametrize(
    ("config", "backlog", "entries", "left"),
    [
        (LINUX_0, 100, 50, 50),  # 2 * 50 > 100 is not yet
        (LINUX_0, 100, 51, 50),
        (LINUX_0, 100, 90, 50),  # none is young: three SYN-ACKs are enough, until half of the room is free
        (LINUX_0, 4, 5, 4),  # never below 8
        (linux(), 100, 90, 50),
        (LINUX_0.replace(synack_pruning=False), 100, 90, 90),
        (LINUX_0.replace(synack_retries=1), 100, 90, 0),
    ],
)
def test_old_entries_are_pruned(config: TcpConfig, backlog: int, entries: int, left: int) -> None:
    """SYN-ACKs at 0, 1, 3 and the end at 7 s instead of 63 s, for as many as must go."""
    server = Server(config, backlog)
    for k in range(entries):
        server.syn(k)
    server.solo.advance(6.9)
    assert server.listener.syn_queue_length == (entries if config.synack_retries > 1 else 0)
    server.solo.advance(7.1)
    assert server.listener.syn_queue_length == left
    server.solo.advance(62.9)
    assert server.listener.syn_queue_length == left
    server.solo.advance(63.1)
    assert (server.listener.syn_queue_length, server.listener.young) == (0, 0)


def test_pruning_by_hand() -> None:
    """Backlog 8. Five old entries (two time-outs), then young ones: qlen 9, young 4: 9 >= 8, 9 < 16: one retry less.

    Thresholds: 5 retries, and one less for each doubling of 2 * young that qlen still reaches: 4 here.
    """
    server = Server(LINUX_0, 8)
    for k in range(5):
        server.syn(k)
    server.solo.advance(3.5)  # 2 * 5 > 8: threshold 2, but only two time-outs so far (at 1 and 3 s)
    for k in range(5, 9):
        server.syn(k)
    server.solo.advance(4.4)
    assert (server.listener.syn_queue_length, server.listener.young) == (9, 4)
    tcb = server.solo.stack.connections[server.flow(0)]
    assert not server.listener.may_retransmit_synack(tcb, 3)  # no limit is raised
    tcb.transmissions = 5  # four time-outs
    assert not server.listener.may_retransmit_synack(tcb, 6)
    tcb.transmissions = 4
    assert server.listener.may_retransmit_synack(tcb, 6)


def test_a_peer_in_time_wait_needs_no_slot() -> None:
    """tcp_conn_request: "TW buckets are converted to open requests without limitations"."""
    server = Server(LINUX_0.replace(time_wait=60.0), 0)
    server.syn(0)
    server.ack(0)
    taken = server.socket.accept()
    assert taken is not None
    taken.close(server.solo.ns)
    server.solo.feed(ACK, PEER_ISS + 1, 1002, flow=server.flow(0))
    server.solo.feed(0x11, PEER_ISS + 1, 1002, flow=server.flow(0))
    assert server.state(0) == State.TIME_WAIT
    assert server.syn(1)
    assert server.syn(2) == []
    assert [s.flags for s in server.solo.feed(SYN, PEER_ISS + 100, flow=server.flow(0))] == [SYN | ACK]
    assert server.listener.syn_queue_length == 2
