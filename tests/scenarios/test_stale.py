"""Stale segments: what the core accepts, counted, against what the times of the same runs let one expect."""

import math

import pytest

from netsim.link import DelayDistribution, Exponential, Fixed, Lognormal, Pareto, Uniform
from netsim.scenarios import stale
from netsim.seeds import Seed
from netsim.sweep import Rows, sweep
from netsim.tcp import clauses
from netsim.tcp.actions import Moved
from netsim.tcp.config.isn import ClockIsn, ConstantIsn, IsnPolicy, RandomIsn
from netsim.tcp.config.ports import Ports
from netsim.tcp.config.profiles import rfc9293
from netsim.trace import Trace
from netsim.trace.events import Decided

N = 600


def params(isn: IsnPolicy, **changes: object) -> stale.Params:
    # The rate limit on answers to unacceptable segments keeps one stale ACK from becoming an endless exchange of ACKs.
    config = rfc9293().replace(isn=isn, invalid_ratelimit=0.5)
    return stale.Params(**({"client": config, "server": config, "data_bytes": 6000, "data_rate": 6000.0} | changes))  # type: ignore[arg-type]


def rows_of(point: stale.Params, n: int = N) -> Rows:
    rows = sweep(stale.run, [point], replications=n, seed=4, workers=1)
    assert not len(rows.failed())
    return rows


@pytest.mark.parametrize(("loss", "time_wait"), [(0.0, 0.0), (0.2, 0.0), (0.0, 5.0)])
def test_counting_agrees_with_the_expectation(loss: float, time_wait: float) -> None:
    """Two-sided alpha 1e-4 for each of the three."""
    point = params(
        ConstantIsn(7),
        loss_forward=loss,
        loss_reverse=loss,
        time_wait=time_wait,
        duplicate=0.3,
        duplicate_delay=Exponential(5.0),
    )
    rows = rows_of(point)
    counted = sum(map(bool, rows.column("stale_data_accepted"))) / N
    expected = math.fsum(map(float, rows.column("p_stale_data_expected"))) / N  # type: ignore[arg-type]
    assert 0.02 < expected < 0.6
    assert abs(counted - expected) < 3.9 * math.sqrt(expected * (1 - expected) / N)


@pytest.mark.parametrize("isn", [ClockIsn(), RandomIsn()])
def test_clock_and_random_numbers_refuse_what_constant_ones_take(isn: IsnPolicy) -> None:
    changes = {"duplicate": 0.5, "duplicate_delay": Exponential(2.0), "loss_forward": 0.0, "loss_reverse": 0.0}
    taken = rows_of(params(ConstantIsn(7), **changes), 100)
    refused = rows_of(params(isn, **changes), 100)
    assert sum(map(int, taken.column("accepted_data"))) > 20  # type: ignore[arg-type]
    assert sum(map(int, refused.column("arrived_data"))) > 20  # type: ignore[arg-type]
    assert sum(map(int, refused.column("accepted_data"))) == 0  # type: ignore[arg-type]
    assert sum(map(int, refused.column("wrong_bytes"))) == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(("late", "wrong"), [(1.0, False), (2.15, True), (9.0, False)])
def test_one_certain_copy_by_hand(late: float, wrong: bool) -> None:
    """One segment of 1,000 bytes and no losses: every instant is known.

    Connection 1: data sent at 0.1, arrives at 0.15; FIN at 1.1; TIME-WAIT (0 s) at 1.2. Connection 2 opens at 2.2 (1 s
    of pause): its SYN arrives at 2.25, and its own data at 2.35. With constant ISNs a copy of the old data is accepted
    exactly if it arrives in between; before, it belongs to nobody, and after, its numbers are behind the window.
    """
    point = params(
        ConstantIsn(7),
        data_bytes=1000,
        data_rate=1000.0,
        duplicate=1.0,
        duplicate_delay=Fixed(late),
        loss_forward=0.0,
        loss_reverse=0.0,
    )
    row = stale.run(point, Seed(1))
    assert row["has_wrong_bytes"] is wrong
    assert row["wrong_bytes"] == (1000 if wrong else 0)
    assert row["stale_data_accepted"] is wrong


def test_no_copy_outlives_its_lifetime() -> None:
    point = params(ConstantIsn(7), msl=3.0, time_wait=3.0, duplicate=0.9, duplicate_delay=Exponential(5.0))
    assert stale.theory(point)["p_stale_data_accepted"] == 0.0
    rows = rows_of(point, 60)
    assert sum(map(int, rows.column("arrived_data"))) == 0  # type: ignore[arg-type]


def test_an_endless_exchange_of_acks_is_cut_and_said() -> None:
    """RFC 1337, hazard H2: without a limit, ACKs that are copied on the way breed."""
    config = rfc9293().replace(isn=ConstantIsn(7))
    losses = {"loss_forward": 0.0, "loss_reverse": 0.0}
    point = stale.Params(client=config, server=config, data_bytes=5000, data_rate=500.0, duplicate=0.3, **losses)
    rows = sweep(stale.run, [point], replications=20, seed=1, workers=1)
    assert not len(rows.failed())
    assert any(rows.column("ack_loop"))


def test_the_trace_tells_the_same_story() -> None:
    point = params(ConstantIsn(7), duplicate=0.3, duplicate_delay=Exponential(3.0))
    for replication in range(40):
        trace = Trace()
        row = stale.run(point, Seed(2, "", replication), [trace.events.append])
        assert row == stale.run(point, Seed(2, "", replication))
        if row["accepted_data"]:
            assert "ACCEPTED: DATA" in trace.ladder()
            return
    pytest.fail("no run accepted stale data")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("loss_forward", 1.5),
        ("duplicate", float("nan")),
        ("pause", -1.0),
        ("data_bytes", 0),
        ("data_rate", 0.0),
        ("msl", -1.0),
    ],
)
def test_bad_parameters_are_named(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        stale.Params(**{field: value})  # type: ignore[arg-type]


def test_a_slow_original_is_late_too() -> None:
    """No copies are made, but a segment can arrive after its own retransmission: nothing is certain then."""
    point = params(ConstantIsn(7), duplicate=0.0, delay_forward=Uniform(0.01, 8.0))
    assert stale.theory(point) == {"p_port_reused": 1.0}
    row = stale.run(point, Seed(1))
    assert row["p_stale_data_expected"] == float(
        row["stale_data_accepted"]
    )  # constant ISNs, and the arrivals as they were


def test_time_wait_is_set_in_one_place() -> None:
    with pytest.raises(ValueError, match=r"client\.time_wait"):
        stale.Params(client=rfc9293().replace(time_wait=60.0))


WIDE = rfc9293().replace(isn=RandomIsn(), receive_buffer=(1 << 30) - 1, window_scale=14, invalid_ratelimit=0.5)
LOSSLESS = {"loss_forward": 0.0, "loss_reverse": 0.0}


def counted_and_expected(rows: Rows) -> tuple[float, list[float]]:
    return sum(map(bool, rows.column("stale_data_accepted"))) / len(rows), list(
        map(float, rows.column("p_stale_data_expected"))
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("distribution", [Exponential(5.0), Pareto(1.0, 1.2), Lognormal(3.0, 1.0)])
@pytest.mark.parametrize("loss", [0.0, 0.2])
def test_both_estimators_agree_where_windows_are_huge(distribution: DelayDistribution, loss: float) -> None:
    """Random ISNs and windows of 1 GB: one old segment in sixteen passes both checks. Two-sided alpha 1e-4 for each."""
    losses = {"loss_forward": loss, "loss_reverse": loss}
    point = stale.Params(
        client=WIDE,
        server=WIDE,
        data_bytes=5000,
        data_rate=5000.0,
        duplicate=0.5,
        duplicate_delay=distribution,
        **losses,
    )
    found, expected = counted_and_expected(rows_of(point, 300))
    p = math.fsum(expected) / 300
    assert 0.01 < p < 0.1
    assert abs(found - p) < 3.9 * math.sqrt(p * (1 - p) / 300)


def test_what_arrived_is_integrated_where_no_distribution_is_known() -> None:
    """Originals that are delayed for long are late too: then the estimate takes the arrivals as they are."""
    point = stale.Params(
        client=WIDE,
        server=WIDE,
        data_bytes=5000,
        data_rate=5000.0,
        duplicate=0.0,
        reorder=0.2,
        reorder_delay=Exponential(8.0),
    )
    found, expected = counted_and_expected(rows_of(point, 300))
    p = math.fsum(expected) / 300
    assert 0.005 < p < 0.1
    assert any(0 < x < 1 for x in expected)
    assert abs(found - p) < 3.9 * math.sqrt(p * (1 - p) / 300)


def test_one_in_a_thousand_million_to_one_per_cent() -> None:
    """Random ISNs, RFC 5961's rule for ACKs and small windows: 1e-9 with a relative error of 1 % from 60 runs."""
    config = rfc9293().replace(isn=RandomIsn(), receive_buffer=60_000, invalid_ratelimit=0.5)
    point = stale.Params(client=config, server=config, data_bytes=50_000, data_rate=50_000.0, duplicate=0.9, **LOSSLESS)
    _, expected = counted_and_expected(rows_of(point, 60))
    mean = math.fsum(expected) / 60
    spread = math.sqrt(math.fsum((x - mean) ** 2 for x in expected) / 59 / 60)
    assert 1e-10 < mean < 1e-9
    assert spread < 0.01 * mean
    # By hand: of 2^32 differences at most W + X at the client's end, about W if some copy is late; W + 1 at the other.
    assert 0.9 * 60_000 * 60_001 / 2.0**64 < mean < (60_000 + 50_000) * 60_001 / 2.0**64


@pytest.mark.parametrize(("ahead", "wrong"), [(0, False), (-1, True)])
def test_the_edge_of_the_clock(ahead: int, wrong: bool) -> None:
    """X = r D is safe, X = r D + 1 is not: the last byte of the old data has the number that is expected next.

    Two chunks of 1,000 bytes, sent at 0.1 and 1.1 s; closed at 2.2 s; opened again at D = 3.2 s. The client's clock
    reads 0 at the first opening, and X + ``ahead`` at the second. Every segment has a copy, 2.15 s late: that of the
    second chunk arrives at 3.3 s, after the second SYN and before its data; that of the first SYN while all is open.
    """
    size = 2000
    server = rfc9293().replace(isn=ConstantIsn(5), invalid_ratelimit=0.5)
    client = server.replace(isn=ClockIsn((size + ahead + 0.5) / 3.2))
    late = {"duplicate": 1.0, "duplicate_delay": Fixed(2.15)}
    point = stale.Params(client=client, server=server, data_bytes=size, data_rate=1000.0, **late, **LOSSLESS)  # type: ignore[arg-type]
    row = stale.run(point, Seed(1))
    assert row["stale_data_accepted"] is wrong
    assert row["wrong_bytes"] == (1 if wrong else 0)
    assert row["p_stale_data_expected"] == float(wrong)


def test_fates_of_old_segments_add_up() -> None:
    """Every arrival is accepted, dropped by a clause that has a column, or without effect."""
    point = params(ConstantIsn(7), duplicate=0.5, duplicate_delay=Exponential(3.0))
    rows = rows_of(point, 60)
    dropped = [name for name in rows.columns if name.startswith("dropped_")]
    for row in rows:
        assert row["arrived"] == sum(int(row[f"arrived_{kind}"] or 0) for kind in stale.KINDS)
        assert row["dropped"] == sum(int(row[name] or 0) for name in dropped)
        assert row["accepted"] == sum(int(row[f"accepted_{kind}"] or 0) for kind in stale.KINDS)
        # An accepted segment may take effect more than once (ACK, data, FIN); a dropped one may have been, too.
        assert row["without_effect"] <= row["arrived"] <= row["accepted"] + row["dropped"] + row["without_effect"]  # type: ignore[operator]
        assert row["dropped_other"] == 0
    totals = {name: sum(map(int, rows.column(name))) for name in dropped}  # type: ignore[arg-type]
    assert totals["dropped_sequence"] > 10


def one_copy(late: float, **changes: object) -> dict[str, object]:
    """One chunk of 1,000 bytes, sent at 0.1 s; every segment has a copy, ``late`` s later; constant ISNs."""
    copies = {"duplicate": 1.0, "duplicate_delay": Fixed(late), "data_bytes": 1000, "data_rate": 1000.0}
    config = changes.pop("config", rfc9293().replace(isn=ConstantIsn(7), invalid_ratelimit=0.5))
    ends = {"client": config, "server": config}
    return stale.run(stale.Params(**{**ends, **copies, **LOSSLESS, **changes}), Seed(1))  # type: ignore[arg-type]


def test_an_old_fin_ends_the_new_stream_early() -> None:
    """The FIN is sent at 1.1 s; its copy at 2.9 s finds a window that it fits, once the new data is there."""
    row = one_copy(1.75)
    assert row["premature_eof"] or row["accepted_fin"]
    assert row["accepted_fin"] == 1


def test_timestamps_refuse_what_constant_isns_would_take() -> None:
    """PAWS: the old data carries an older clock reading."""
    config = rfc9293().replace(isn=ConstantIsn(7), invalid_ratelimit=0.5)
    assert one_copy(2.15, data_bytes=2000)["wrong_bytes"] == 1000  # the second chunk, as above
    row = one_copy(2.15, data_bytes=2000, config=config.replace(timestamps=True, ts_tick=0.001))
    assert row["wrong_bytes"] == 0
    assert row["dropped_paws"]
    assert math.isnan(row["p_stale_data_expected"])  # type: ignore[arg-type]


def test_an_old_syn_is_half_open_or_a_ghost() -> None:
    """Its copy comes after the close: half-open for the real server; with constant ISNs the old ACK completes it."""
    row = one_copy(1.9, pause=20.0)
    assert row["ghost"]
    row = one_copy(1.9, pause=20.0, config=rfc9293())
    assert row["half_open"]
    assert not row["ghost"]


@pytest.mark.parametrize(
    ("rule", "reopened"), [("none", False), ("rfc1122", True), ("rfc6191", True), ("sequence-or-timestamp", True)]
)
def test_a_server_in_time_wait_accepts_a_new_syn(rule: str, reopened: bool) -> None:
    """The server closes first and holds TIME-WAIT for 30 s; the client comes back after 1 s."""
    config = rfc9293().replace(time_wait_reuse=rule)
    point = stale.Params(
        client=config, server=config, closes_first="server", time_wait=30.0, duplicate=0.0,
        data_bytes=1000, data_rate=1000.0,
        **LOSSLESS,  # type: ignore[arg-type]
    )  # fmt: skip
    trace = Trace()
    row = stale.run(point, Seed(1), [trace.events.append])
    assert row["reopened"]
    moves = [event.decision for event in trace if isinstance(event, Decided) and isinstance(event.decision, Moved)]
    reasons = {move.clause for move in moves}
    assert (clauses.MAY_2 in reasons) is reopened


def test_ports_of_the_client_decide_how_often_it_matters() -> None:
    """Random choice among four ports: one in four is the one just used. In order: none of four, all from the fifth."""
    base = {"client": WIDE, "server": WIDE, "data_bytes": 1000, "data_rate": 1000.0, **LOSSLESS}
    point = stale.Params(port_selection=Ports("random", first=50_000, last=50_003), **base)  # type: ignore[arg-type]
    assert stale.theory(point)["p_port_reused"] == 0.25
    reused = rows_of(point, 300).array("p_port_reused")
    assert abs(sum(map(float, reused)) / 300 - 0.25) < 3.9 * math.sqrt(0.25 * 0.75 / 300)
    in_order = stale.Params(port_selection=Ports("sequential", first=50_000, last=50_003), connections=6, **base)  # type: ignore[arg-type]
    assert stale.run(in_order, Seed(1))["p_port_reused"] == pytest.approx(2 / 5)
    assert stale.run(stale.Params(**base), Seed(1))["p_port_reused"] == 1.0  # type: ignore[arg-type]


def test_the_rate_per_connection_falls_with_the_share_of_reused_ports() -> None:
    """Constant ISNs; one port for all connections, or one of sixteen at random."""
    config = rfc9293().replace(isn=ConstantIsn(7), invalid_ratelimit=0.5)
    base = {
        "client": config,
        "server": config,
        "data_bytes": 2000,
        "data_rate": 2000.0,
        "duplicate": 0.5,
        "pause": 0.3,
        **LOSSLESS,
    }
    same = rows_of(stale.Params(duplicate_delay=Exponential(2.0), connections=5, **base), 60)  # type: ignore[arg-type]
    rare = rows_of(
        stale.Params(
            duplicate_delay=Exponential(2.0),
            connections=5,
            port_selection=Ports("random", first=50_000, last=50_015),
            **base,  # type: ignore[arg-type]
        ),
        60,
    )
    often, seldom = (sum(map(float, rows.array("p_stale_data_per_connection"))) / 60 for rows in (same, rare))
    assert 0.1 < often < 0.9
    assert seldom < often / 4


def test_a_clock_ahead_of_the_data_has_a_theory() -> None:
    """RFC 6528 at 250,000 per second against 20,000 bytes per second; not against 16 MB in a second."""
    assert stale.theory(stale.Params())["p_stale_data_accepted"] == 0.0
    fast = stale.theory(stale.Params(data_bytes=1 << 24, data_rate=1e8))
    assert fast == {"p_port_reused": 1.0}
    with pytest.raises(ValueError, match="connections = 99"):
        stale.Params(connections=99)
    with pytest.raises(ValueError, match="closes_first = 'nobody'"):
        stale.Params(closes_first="nobody")  # type: ignore[arg-type]
