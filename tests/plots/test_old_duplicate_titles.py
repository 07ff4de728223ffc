"""The sentences above the figures on old duplicates are read from the tables, whatever those say."""

from netsim.figures.titles import (
    bytes_title,
    ghost_title,
    incarnation_title,
    late_title,
    lifetime_title,
    memory_title,
    paws_title,
)
from netsim.sweep import Rows, Scalar


def rows(estimate: str, *lines: dict[str, Scalar], source: str = "simulation") -> Rows:
    return Rows.from_dicts([{"estimate": estimate, "source": source, "n": 100, **line} for line in lines])


def ghosts(three: float) -> Rows:
    return rows(
        "p_ghost",
        {"handshake": "two-way", "duplicate": 0.1, "value": 0.02},
        {"handshake": "two-way", "duplicate": 0.5, "value": 0.125},
        {"handshake": "three-way", "duplicate": 0.5, "value": three},
    )


def test_ghosts() -> None:
    assert "125 ghosts per 1,000 connections when 50 % of segments" in ghost_title(ghosts(0.0))
    assert ghost_title(ghosts(0.0)).endswith("three or four segments none in 100")
    assert ghost_title(ghosts(0.01)).endswith("some too")
    exact = rows("p_ghost", {"handshake": "two-way", "duplicate": 0.5, "value": 0.13}, source="exact")
    assert "130 ghosts per 1,000 connections" in ghost_title(Rows.concatenate([ghosts(0.0), exact]))


def test_late_syns() -> None:
    exact = rows(
        "p_ghost",
        {"handshake": "two-way", "why": "delay", "x": 1.0, "value": 0.3},
        {"handshake": "two-way", "why": "delay", "x": 1.5, "value": 0.45},
        {"handshake": "two-way", "why": "reorder", "x": 0.4, "value": 0.11},
        source="exact",
    )
    seen = {"handshake": "three-way", "why": "delay", "x": 1.0}
    for value, words in ((0.0, "none in 100"), (0.01, "some too")):
        title = late_title(Rows.concatenate([exact, rows("p_ghost", {**seen, "value": value})]))
        assert title.startswith("A late SYN comes twice: a two-way server gets 450 ghosts per 1,000")
        assert "at 1.5 s of delay, 110 if 40 % are held back" in title
        assert title.endswith(f"a three-way one {words}")


def test_memory() -> None:
    exact = rows("p_ghost", {"memory": 1.0, "value": 0.1}, {"memory": 2.0, "value": 0.0}, source="exact")
    for seen, words in ((0.0, "no ghost in 100 connections"), (0.5, "yet ghosts were seen")):
        table = Rows.concatenate([exact, rows("p_ghost", {"memory": 3.0, "value": seen})])
        assert words in memory_title(table, lifetime=2.5)


def incarnations(slow: float, waited: float) -> Rows:
    return rows(
        "p_stale_data_accepted",
        {"kind": "slow, short", "isn": "clock", "time_wait": 0.0, "value": slow},
        {"kind": "fast, short", "isn": "clock", "time_wait": 0.0, "value": 0.25},
        {"kind": "fast, short", "isn": "clock", "time_wait": 3.0, "value": waited},
    )


def test_incarnations() -> None:
    title = incarnation_title(incarnations(0.0, 0.0))
    assert title.startswith(
        "A clock-driven ISN keeps slow and short connections apart; the others take old text in 25 %"
    )
    assert title.endswith("TIME-WAIT keeps all (none of 100 runs)")
    assert incarnation_title(incarnations(0.1, 0.1)).startswith("A clock-driven ISN keeps no connections apart")
    assert incarnation_title(incarnations(0.1, 0.1)).endswith("yet TIME-WAIT does not")


def test_bytes_lifetimes_and_timestamps() -> None:
    name = "p_stale_data_expected"
    for low, word in ((0.0, "nothing old gets in"), (0.01, "something old gets in")):
        table = rows(name, *({"isn": "clock", "size": s, "value": v} for s, v in ((10, low), (90, 0.08))))
        assert word in bytes_title(table, edge=50.0)
        assert "up to 50 bytes" in bytes_title(table, edge=50.0)
        assert "up to 8 % of runs" in bytes_title(table, edge=50.0)
    for waited, word in ((0.0, "lets nothing old in"), (0.02, "still lets old text in")):
        cells = (({"time_wait": 9.0, "lifetime": 9.0}, waited), ({"time_wait": 0.0, "lifetime": 9.0}, 0.5))
        assert word in lifetime_title(rows(name, *({**labels, "value": value} for labels, value in cells)))
    for stamped, word in ((0.0, "none of 100 with them"), (0.03, "3 % with them")):
        lines = ({"timestamps": t, "duplicate": 0.5, "value": v} for t, v in (("without", 0.2), ("with", stamped)))
        assert word in paws_title(rows("p_wrong_bytes", *lines))
