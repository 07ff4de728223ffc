"""The ladder's promises beyond the golden ones: width, order in time, completeness, options, notebooks."""

import random
import re

import pytest
from IPython.lib.pretty import pretty

from netsim.link import Path
from netsim.sim import Host, World
from netsim.sim.attacks import flood, spoofed_sources
from netsim.tcp.clauses import CLAUSES
from netsim.tcp.config.profiles import PROFILES, linux, rfc9293
from netsim.tcp.errors import TcpError
from netsim.tcp.segment import SYN, FourTuple, Segment
from netsim.trace import Trace
from netsim.trace.events import Arrived, Called, Packet, Sent
from netsim.trace.explanations import why_dropped
from tests.trace.runs import (
    Process,
    closed_port,
    data_lost,
    open_close,
    pair,
    reopened,
    serve,
    stale_accepted,
    syn_lost,
    synack_lost,
    talk,
    three_hosts,
    weather,
)

LINE = re.compile(r"^ *(\d+\.\d{3})?  (?:([A-Z-]+[12]?) *)?.*\|(.*)\|(?: ([A-Z-]+[12]?) +)?(?: *(\d+\.\d{3}))?$")


def stormy(seed: int, profile: str) -> World:
    """Loss, copies, reordering: little on these lines stays undisturbed."""
    world = World(seed=seed, trace=True)
    client, server = world.host("client", profile), world.host("server", profile)
    world.link(client, server, Path(delay=0.05, loss=0.3, duplicate=0.2, duplicate_delay=0.1, reorder=0.2))
    return talk(world, client, server, b"x" * 5000, b"y" * 3000)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_line_is_longer_than_the_width(profile: str, width: int) -> None:
    for seed in range(3):
        text = stormy(seed, profile).trace.ladder(width=width, relative=seed > 0)
        assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("run", [three_hosts, data_lost])
def test_narrow_ladders_keep_the_width_too(run: object) -> None:
    assert callable(run)
    text = run("linux").trace.ladder(width=60, states=False)
    assert max(map(len, text.splitlines())) <= 60


@pytest.mark.parametrize("profile", ["rfc9293", "linux", "windows"])
def test_each_column_of_times_runs_downwards(profile: str) -> None:
    for seed in range(10):
        columns: tuple[list[float], list[float]] = ([], [])
        for line in stormy(seed, profile).trace.ladder().splitlines()[1:]:
            match = LINE.match(line)
            assert match, line
            for column, time in zip(columns, (match[1], match[5]), strict=True):
                if time is not None:
                    column.append(float(time))
        for column in columns:
            assert column == sorted(column)


def test_every_sending_and_every_arrival_is_drawn_once() -> None:
    for seed in range(10):
        trace = stormy(seed, "rfc9293").trace
        lines = trace.ladder().splitlines()
        sent = [event for event in trace if isinstance(event, Sent)]
        assert sum("---|" in line or "|---" in line for line in lines) == len(sent)
        assert sum("|<" in line or ">|" in line for line in lines) == sum(isinstance(r, Arrived) for r in trace)
        assert sum("X" in line for line in lines) == sum(not event.arrivals for event in sent)


def test_an_undisturbed_segment_is_one_line_with_both_ends() -> None:
    lines = open_close("rfc9293").trace.ladder(width=90).splitlines()
    assert lines[3] == ("  0.000  SYN-SENT     |--- SYN seq=0 mss=1460 -------------------->| SYN-RECEIVED    0.050")


def test_a_segment_that_is_lost_ends_in_x_with_its_cause() -> None:
    assert "|--- SYN seq=0 mss=1460 ----------------X scripted     |" in syn_lost("rfc9293").trace.ladder()
    assert "|     scripted X------ SYN,ACK seq=0 ack=1 mss=1460 ---|" in synack_lost("rfc9293").trace.ladder()


def test_why_a_segment_was_dropped_stands_below_it_on_the_side_of_the_receiver() -> None:
    lines = closed_port("rfc9293").trace.ladder().splitlines()
    below = lines[next(i for i, line in enumerate(lines) if "--- SYN" in line) + 1]
    assert below.rstrip().endswith("dropped: no such connection (3.10.7.1)   |")
    assert below.startswith(" " * 20)


def test_numbers_are_relative_for_each_incarnation_or_absolute() -> None:
    trace = reopened(rfc9293().replace(time_wait=0.01)).trace
    syns = [r.packet.segment.seq for r in trace if isinstance(r, Sent) and r.packet.segment.flags == SYN]
    assert len(set(syns)) == 2
    assert trace.ladder().count("SYN seq=0 ") == 2
    for seq in syns:
        assert f"SYN seq={seq} " in trace.ladder(relative=False)


def test_a_stale_segment_that_is_taken_says_so_with_its_bytes() -> None:
    text = stale_accepted(rfc9293()).trace.ladder()
    assert "old (incarnation 1)" in text
    assert "ACCEPTED: DATA, 60 bytes 'oldoldoldold...'" in text


def test_options_are_shown_once_on_a_syn() -> None:
    text = syn_lost(linux()).trace.ladder()
    assert text.count("SYN seq=0 mss=1460 ws=10 ts sack") == 1
    assert "SYN seq=0 [RTO] ---" in text


def test_unicode_draws_the_same_lines() -> None:
    trace = weather("linux").trace
    smooth, plain = trace.ladder(unicode=True), trace.ladder()
    assert [len(line) for line in smooth.splitlines()] == [len(line) for line in plain.splitlines()]
    assert plain.isascii()
    assert "───▶│" in smooth


def test_sections_hold_one_pair_each_and_one_can_be_picked() -> None:
    trace = three_hosts("rfc9293").trace
    sections = trace.ladder().split("\n\n")
    assert [section.split()[1] for section in sections] == ["alice", "carol"]
    picked = trace.ladder(hosts=("bob", "alice"))
    assert picked.splitlines()[0].split() == ["time", "bob", "alice", "time"]
    assert len(picked.splitlines()) == len(sections[0].splitlines())
    assert "49152>80" in sections[1]  # the ports distinguish two connections of one pair
    assert ">80" not in sections[0]


def test_of_thousands_of_pairs_the_real_hosts_come_first_and_the_rest_is_counted() -> None:
    """A flood: each spoofed address is a pair of its own, and the client comes after all of them."""
    world = World(seed=1, trace=True)
    client, server, attacker = world.host("client"), world.host("server"), world.host("attacker")
    world.link(client, server, Path(delay=0.05))
    world.link(attacker, server, Path(delay=0.05))
    server.socket().listen(80, backlog=4096)
    gaps = iter([0.001] * 3000)
    world.process(flood(attacker, ("server", 80), sources=spoofed_sources(3000), gaps=gaps, stream=random.Random(1)))
    world.run(until=4.0)
    client.socket().connect(("server", 80))
    world.run(until=5.0)
    sections = world.trace.ladder(max_lines=3, max_pairs=2).split("\n\n")
    assert [section.split()[1] for section in sections] == ["client", "spoofed-0", "2,999"]
    assert sections[-1] == "... 2,999 more pairs of hosts"


def test_bad_parameters_are_refused_by_name() -> None:
    trace = open_close("rfc9293").trace
    with pytest.raises(ValueError, match=r"width = 40: must be at least 76 columns"):
        trace.ladder(width=40)
    trace.ladder(width=76)
    for hosts in (["client"], ["client", "client"], ["client", "nobody"]):
        with pytest.raises(ValueError, match=r"hosts = \[.*\]: must be two of client, server"):
            trace.ladder(hosts=hosts)


def test_a_trace_shows_itself() -> None:
    trace = data_lost("rfc9293").trace
    assert str(trace) == trace.ladder() == pretty(trace)  # type: ignore[no-untyped-call]
    assert repr(trace) == f"<Trace: {len(trace)} events>"
    assert str(Trace()) == "(no events: make the world with trace=True)"
    assert trace.ladder(max_lines=10).splitlines()[-1] == f"... {len(trace.ladder().splitlines()) - 10} more lines"


def test_a_notebook_shows_only_the_first_screens() -> None:
    trace = three_hosts("rfc9293").trace
    trace.events = trace.events * 20
    assert "more lines" in pretty(trace)  # type: ignore[no-untyped-call]


def test_a_forged_packet_is_marked_and_counted_from_the_numbers_it_claims() -> None:
    trace = open_close("rfc9293").trace
    flow = next(r.packet.segment.flow for r in trace if isinstance(r, Sent))
    iss = next(r.packet.segment.seq for r in trace if isinstance(r, Sent))
    forged = Packet(99, Segment(flow, iss + 7, 0, 0x04, 0), "client", 10**9, 0, 0, forged=True)
    trace.events += [Sent(10**9, "client", forged, (2 * 10**9,), ""), Arrived(2 * 10**9, "server", forged, False)]
    assert "RST seq=7 [forged]" in trace.ladder()


def test_a_trace_that_starts_in_the_middle_is_drawn_all_the_same() -> None:
    events = list(data_lost("rfc9293").trace)
    late = Trace()
    late.events = events[len(events) // 2 :]
    assert "FIN-WAIT-2" in late.ladder()
    lone = Packet(1, Segment(FourTuple("a", 1, "b", 2), 5, 0, SYN, 0), "a", 0, 1, 1)
    late.events = [Sent(0, "a", lone, (), "outage")]
    assert "SYN seq=0" in late.ladder()


def test_a_port_without_a_listener_is_closed_though_another_listens() -> None:
    world, client, server = pair("rfc9293")
    world.process(serve(server))
    world.process(knock(client, server, 81))
    world.run(10)
    text = world.trace.ladder()
    assert re.search(r"listen\(80\) \| LISTEN +0\.000", text)
    assert re.search(r"SYN seq=0 mss=1460 -+>\| CLOSED +0\.050", text)


def test_a_listener_that_closes_and_a_host_that_crashes_forget() -> None:
    world, client, server = pair("rfc9293")
    listener = server.socket()
    listener.listen(80)

    def end() -> Process:
        yield world.timeout(1.0)
        listener.close()
        yield world.timeout(1.0)
        client.crash()
        yield world.timeout(3.0)
        client.pump.called("call", "bind", 7)

    world.process(knock(client, server, 80))
    world.process(end())
    world.run(10)
    text = world.trace.ladder()
    assert re.search(r"close\(\) \| CLOSED +1\.000", text)
    assert re.search(r"2\.000  CLOSED +\| crash\(\)", text)
    assert re.search(r"5\.000  CLOSED +\| bind\(7\)", text)


def knock(host: Host, peer: Host, port: int) -> Process:
    """Connect, and leave it at that."""
    try:
        yield host.socket().connect((peer, port))
    except TcpError:
        return


def test_without_calls_the_moves_that_users_made_have_lines_of_their_own() -> None:
    trace = open_close("rfc9293").trace
    trace.events = [event for event in trace if not isinstance(event, Called)]
    text = trace.ladder()
    assert re.search(r"0\.000  SYN-SENT +\| OPEN ", text)
    assert re.search(r"0\.100  FIN-WAIT-1 +\| CLOSE ", text)
    assert re.search(r" CLOSE \| LAST-ACK +0\.150", text)


def test_a_segment_without_a_route_is_seen_to_be_lost() -> None:
    world = World(seed=1, trace=True)
    lone, far = world.host("lone"), world.host("far")
    world.process(knock(lone, far, 80))
    world.run(0.5)
    assert re.search(r"SYN seq=0 mss=1460 -+X no route", world.trace.ladder())


def test_a_dropped_segment_has_a_phrase_and_its_clause_once() -> None:
    """``dropped: SEQ outside the window (3.10.7.4, first)``, never the identifier and its citation."""
    for clause in CLAUSES.values():
        text = why_dropped(clause.identifier)
        assert text.startswith("dropped: ")
        if clause.citation:
            assert text.endswith(f" ({clause.citation})")
            assert text.count(clause.citation) == 1
