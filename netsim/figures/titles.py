"""The sentences above and below the figures; every number in them is read from the table that is drawn."""

import math
from collections.abc import Mapping
from typing import Final

from netsim.figures.against_loss import share as power_of_ten
from netsim.sweep import Rows

_SHARES = {0.5: "half of all", 0.95: "95 % of all", 0.99: "99 % of all"}
WILSON: Final = "95 % intervals by Wilson"


def footer(
    *, n: int, seed: int, interval: str, loss: str, tie_break: str = "timers first at equal times", more: str = ""
) -> str:
    """How the numbers were found: runs a point, seed, kind of interval, tie policy, loss model, and what else."""
    parts = [f"n = {n:,} a point", f"seed {seed}", interval, tie_break, loss]
    return "; ".join([*parts, *([more] if more else [])]) + "."


def within(rows: Rows) -> str:
    """The widest of the intervals of these rows, for a figure that shows shares as numbers."""
    ends = [(row["low"], row["high"]) for row in rows]
    widest = max((float(high) - float(low)) / 2 for low, high in ends if low is not None and high is not None)
    return f"shares as counted, 95 % intervals by Wilson at most \N{PLUS-MINUS SIGN}{percent(widest)}"


def percent(p: float) -> str:
    """A share with two digits, or as many as tell it from 100 %."""
    return f"{100 * p:.2g} %" if p < 0.99 else f"{100 * p:.4g} %"


def seconds(t: float) -> str:
    """A duration with two digits."""
    return f"{t:.2g} s" if t < 10 else f"{t:.0f} s"


def extremes(table: Rows, *, loss: float) -> tuple[tuple[str, float], tuple[str, float]]:
    """The smallest value at this loss and the largest, each with the profiles that have it: exact if that is known.

    A quantile jumps from step to step; where it does, the simulated one may lie on either side.
    """
    values: dict[str, float] = {}
    for source in ("simulation", "exact"):
        rows = table.where(source=source, loss=loss)
        values |= {str(name): float(v) for name, v in zip(rows.column("profile"), rows.array("value"), strict=True)}
    low, high = min(values.values()), max(values.values())
    return (_who(values, low), low), (_who(values, high), high)


def _who(values: Mapping[str, float], value: float) -> str:
    first, *others = [name for name, v in values.items() if v == value]
    if len(others) < 2:
        return " and ".join([first, *others])
    return f"{first} and {len(others)} others"


def _rare(p: float) -> str:
    return percent(p) if p > 0 else "none"


def mean_title(table: Rows, *, loss: float) -> str:
    """Who is fastest on average, and who is slowest."""
    (best, low), (worst, high) = extremes(table, loss=loss)
    return (
        f"At {percent(loss)} loss a connection takes {seconds(low)} to open on average with {best}, "
        f"{seconds(high)} with {worst}"
    )


def quantile_title(table: Rows, *, q: float, loss: float) -> str:
    """Within what time the share ``q`` of all connections opens, at best and at worst."""
    (best, low), (worst, high) = extremes(table, loss=loss)
    if low == high:
        return f"At {percent(loss)} loss {_SHARES[q]} connections open within {seconds(low)}, whatever the host"
    slowest = f"with {worst} so many never do" if high == math.inf else f"{seconds(high)} with {worst}"
    return f"At {percent(loss)} loss {_SHARES[q]} connections open within {seconds(low)} with {best}, {slowest}"


def ccdf_title(table: Rows, *, loss: float) -> str:
    """How many wait for a timer, and for how long: the first step of every profile."""
    simulated = table.where(source="simulation")
    groups = simulated.group_by("profile")
    waiting = sum(float(rows.array("value")[0]) for rows in groups.values()) / len(groups)
    rtos = table.where(source="rto").group_by("profile")
    first = {str(name): float(rows.array("value")[0]) for (name,), rows in rtos.items()}
    shortest, longest = min(first.values()), max(first.values())
    more = f", with {_who(first, longest)} after {seconds(longest)}" if longest > shortest else ""
    return (
        f"At {percent(loss)} loss {percent(waiting)} of all connections wait for a timer: "
        f"a SYN is sent again after {seconds(shortest)}{more}"
    )


def failure_title(table: Rows, *, loss: float) -> str:
    """Who gives up most often, and who least."""
    (best, low), (worst, high) = extremes(table, loss=loss)
    return f"At {percent(loss)} loss {percent(high)} of all connections fail with {worst}, {_rare(low)} with {best}"


def divergence_title(table: Rows, *, loss: float) -> str:
    """How often the client is ESTABLISHED alone."""
    (best, low), (worst, high) = extremes(table, loss=loss)
    return (
        f"At {percent(loss)} loss {_rare(low)} ({best}) to {percent(high)} ({worst}) of clients are "
        "ESTABLISHED alone: their server gave up"
    )


def bursts_title(table: Rows, *, loss: float, independent: str, bursts: str) -> str:
    """How far the theory of independent losses is off when the same mean loss comes in bursts."""
    rows = table.where(source="simulation", loss=loss)
    burst = float(rows.where(losses=bursts).array("value")[0])
    exact = float(table.where(source="exact", loss=loss, losses=independent).array("value")[0])
    return (
        f"At {percent(loss)} loss {bursts} opening takes {seconds(burst)} on average, "
        f"{burst / exact:.1f} times what theory says of independent losses"
    )


def stale_title(table: Rows) -> str:
    """The worst case, and every other ISN policy there: what is expected, given the times of the runs."""
    rows = table.where(estimate="p_stale_data_expected")
    at = ("value", "loss", "time_wait")
    (most, loss, wait), who = max((tuple(float(row[name] or 0.0) for name in at), str(row["isn"])) for row in rows)
    there = rows.where(loss=loss, time_wait=wait)
    rest = [f"{_rarely(float(row['value'] or 0.0))} with {row['isn']} ones" for row in there if row["isn"] != who]
    waited = f"After {seconds(wait)} of" if wait else "Without"
    return (
        f"{waited} TIME-WAIT, at {percent(loss)} loss, old data gets into {percent(most)} of runs with {who} ISNs, "
        f"{', '.join(rest)}"
    )


def _rarely(p: float) -> str:
    """A chance that may be as small as it likes."""
    if not p or p > 1e-5:
        return percent(p) if p else "never"
    power = 10.0 ** math.floor(math.log10(p) + 1e-9)
    return f"{p / power:.0f} \N{MULTIPLICATION SIGN} {power_of_ten(power)}"


def sequence_title(rows: Rows) -> str:
    """What became of the late copies."""
    old = rows.where(kind="old")
    taken = sum(v == "accepted" for v in old.column("verdict"))
    return (
        f"{len(old)} old segments reach the new connection: {taken} in the receive window, taken for new text, "
        f"{len(old) - taken} outside, refused"
    )


def ghost_title(table: Rows) -> str:
    """What every handshake makes of old SYNs, at the highest duplication shown."""
    simulated = table.where(estimate="p_ghost", source="simulation")
    most = max(map(float, simulated.array("duplicate")))
    exact = table.where(source="exact", handshake="two-way", duplicate=most)
    two_way, *_ = [*exact, *simulated.where(handshake="two-way", duplicate=most)]
    others = [row for row in simulated if row["handshake"] != "two-way"]
    runs, ghosts = sum(int(row["n"] or 0) for row in others), sum(float(row["value"] or 0) > 0 for row in others)
    rest = f"none in {runs:,}" if not ghosts else "some too"
    return (
        f"A server that believes the SYN gets {1000 * float(two_way['value'] or 0):.0f} ghosts per 1,000 connections "
        f"when {percent(most)} of segments have a late copy; with three or four segments {rest}"
    )


def late_title(table: Rows) -> str:
    """What delay makes of a two-way handshake, and what reordering does, at their worst; and of the real one."""
    simulated = table.where(source="simulation")
    worst = {}
    for why in ("delay", "reorder"):
        exact = table.where(source="exact", why=why)
        values = zip(map(float, exact.array("value")), map(float, exact.array("x")), strict=True)
        worst[why] = max(values)
    (delayed, mean), (reordered, share) = worst["delay"], worst["reorder"]
    ghosts = any(map(float, simulated.where(handshake="three-way").array("value")))
    runs = sum(map(int, simulated.where(handshake="three-way").array("n")))
    return (
        f"A late SYN comes twice: a two-way server gets {1000 * delayed:.0f} ghosts per 1,000 connections at "
        f"{seconds(mean)} of delay, {1000 * reordered:.0f} if {percent(share)} are held back; a three-way one "
        f"{'some too' if ghosts else f'none in {runs:,}'}"
    )


def memory_title(table: Rows, *, lifetime: float) -> str:
    """How long a two-way server must remember."""
    exact = table.where(source="exact")
    values = zip(exact.array("memory"), exact.array("value"), strict=True)
    safe = min(float(memory) for memory, value in values if value == 0)
    after = [row for row in table.where(source="simulation") if float(row["memory"] or 0.0) >= safe]
    seen = sum(float(row["value"] or 0.0) for row in after)
    runs = sum(int(row["n"] or 0) for row in after)
    return (
        f"Two segments are enough for a server that remembers for longer than a packet lives ({seconds(lifetime)}): "
        f"{f'no ghost in {runs:,} connections' if not seen else 'yet ghosts were seen'}"
    )


def paired(rows: Rows, what: str) -> str:
    """One paired difference with its interval, as part of a footer; empty if none was estimated."""
    for row in rows:
        value, low, high = (row[c] for c in ("value", "low", "high"))
        if low is not None and high is not None:
            return f"{what}, same random numbers: {float(value or 0.0):+.3f} [{float(low):+.3f}, {float(high):+.3f}]"
    return ""


def _unclean(table: Rows, loss: float) -> tuple[dict[float, float], float]:
    """P(unclean) by the length of TIME-WAIT (s), exact if that is known, and the longest that was simulated."""
    by_length: dict[float, float] = {}
    longest = 0.0
    for source in ("simulation", "exact"):
        for row in table.where(estimate="p_unclean", source=source, loss=loss):
            length = float(row["time_wait"] or 0.0)
            by_length[length] = float(row["value"] or 0.0)
            longest = max(longest, length) if source == "simulation" else longest
    return by_length, longest


def time_wait_title(table: Rows, *, loss: float) -> str:
    """What TIME-WAIT buys at this loss: unclean closes without it, and with the longest that was simulated."""
    by_length, longest = _unclean(table, loss)
    held = table.where(estimate="client_time_wait_sockets", source="exact", time_wait=longest).array("value")[0]
    return (
        f"At {percent(loss)} loss {percent(by_length[0.0])} of servers close uncleanly without TIME-WAIT, "
        f"{_rare(by_length[longest])} with {seconds(longest)} of it, which holds {float(held):,.0f} sockets "
        f"at {float(held) / longest:g} connections a second"
    )


def why_four_title(table: Rows, *, think: float, loss: float) -> str:
    """How many closes need the fourth segment, and how many the time after the last one."""
    three = table.where(estimate="p_three_segments", source="simulation", think=think)
    waits = percent(max(map(float, three.array("value"))))
    by_length, longest = _unclean(table, loss)
    return (
        f"Four segments, as the ACK of a FIN goes at once (three in {waits} of cases if it waits); at {percent(loss)} "
        f"loss {seconds(longest)} of TIME-WAIT cut unclean closes from {percent(by_length[0.0])} to "
        f"{_rare(by_length[longest])}"
    )


def assassination_title(table: Rows, *, duplicate: float) -> str:
    """How often TIME-WAIT ends early, with and without the fixes of RFC 1337."""
    rows = table.where(source="simulation", duplicate=duplicate, estimate="p_assassinated")
    (_, plain), *fixed = [(str(n), float(v)) for n, v in zip(rows.column("rst"), rows.array("value"), strict=True)]
    fixes = ", ".join(f"{_rare(p) if p else 'never'} with {name}" for name, p in fixed)
    return (
        f"When {percent(duplicate)} of segments have a late copy, a RST ends TIME-WAIT early in {percent(plain)} "
        f"of cases; {fixes}"
    )


def segments_title(table: Rows, *, think: float) -> str:
    """How often three segments do, for a server that thinks so long, by how long its ACK may wait."""
    rows = table.where(estimate="p_three_segments", source="simulation", think=think)
    values = dict(zip(map(str, rows.column("fin_ack")), map(float, rows.array("value")), strict=True))
    (worst, low), (best, high) = min(values.items(), key=lambda v: v[1]), max(values.items(), key=lambda v: v[1])
    never = "never" if low == 0 else f"in {percent(low)} of cases"
    return (
        f"A server that thinks for {duration(think)} closes in three segments in {percent(high)} of cases if its "
        f"{best}, {never} if its {worst.replace('ACK at once', 'ACK goes at once')}"
    )


def left_title(table: Rows) -> str:
    """How often one segment of text makes four of a close, by when the ACK goes; what a client reads that has gone."""

    def seen(curve: str) -> dict[int, float]:
        rows = [row for source in ("simulation", "exact") for row in table.where(curve=curve, source=source)]
        return {int(row["left"] or 0): float(row["value"] or 0.0) for row in rows if row["left"]}

    waits, at_once, gone = seen("4, ACK waits"), seen("4, ACK at once"), seen("close")
    one = min(waits)
    never = "never" if not at_once[one] else f"in {percent(at_once[one])}"
    read = "nothing" if not any(gone.values()) else f"all in {percent(max(gone.values()))} of cases"
    return (
        f"With a little text left to send a close takes four segments in {percent(waits[one])} of cases if the ACK "
        f"waits for the text, {never} if it goes at once; a client that has gone reads {read}"
    )


def ends_title(table: Rows, *, loss: float) -> str:
    """How often the other end stays open for ever after a close by RST, and by FIN."""
    by_rst = {row["close"] for row in table.where(how="abort")}
    closes = {row["close"] for row in table}
    left = {row["close"]: float(row["value"] or 0.0) for row in table.where(how="never")}
    rst, fin = (sum(left.get(c, 0.0) for c in which) / len(which) for which in (by_rst, closes - by_rst))
    return (
        f"A lost FIN is sent again, a lost RST is not: at {percent(loss)} loss {percent(rst)} of closes by RST leave "
        f"the other end open for ever, {percent(fin) if fin else 'none'} of those by FIN"
    )


def shares_title(table: Rows) -> str:
    """How much of the shortest close is left at the highest loss."""
    least = str(table.column("segments")[0])
    rows = table.where(segments=least, source="simulation")
    first, last = float(rows.array("value")[0]), float(rows.array("value")[-1])
    loss = float(rows.array("loss")[-1])
    return f"{percent(first)} of closes take {least} without losses, {percent(last)} at {percent(loss)} loss each way"


def duration(t: float) -> str:
    """A time in ms below a second."""
    return f"{1000 * t:g} ms" if t < 1 else f"{t:g} s"


def close_latency_title(table: Rows, *, loss: float) -> str:
    """How many closes wait for a timer, at either end."""
    late = {}
    for end in ("client", "server"):
        rows = table.where(source="simulation", end=end)
        late[end] = float(rows.array("value")[0])  # beyond the first atom: the close without a timer
    return (
        f"At {percent(loss)} loss {percent(late['client'])} of clients and {percent(late['server'])} of servers "
        "wait for a timer before they are done with the close"
    )


def incarnation_title(table: Rows) -> str:
    """Which cells a clock-driven ISN keeps apart, and whether TIME-WAIT keeps all."""
    seen = table.where(estimate="p_stale_data_accepted", source="simulation")
    waits = sorted({float(w or 0.0) for w in seen.column("time_wait")})
    clock = seen.where(isn="clock", time_wait=waits[0])
    share = {str(row["kind"]): float(row["value"] or 0.0) for row in clock}
    good, bad = [kind for kind, p in share.items() if not p], [p for p in share.values() if p]
    waited = seen.where(time_wait=waits[-1])
    runs, accepted = sum(map(int, waited.array("n"))), any(map(float, waited.array("value")))
    kept = " and ".join(kind.replace(", ", " and ") for kind in good) or "no"
    harm = f"; the others take old text in {percent(min(bad))} to {percent(max(bad))} of runs" if bad else ""
    rest = "yet TIME-WAIT does not" if accepted else f"TIME-WAIT keeps all (none of {runs:,} runs)"
    return f"A clock-driven ISN keeps {kept} connections apart{harm}; {rest}"


def tails_title(table: Rows) -> str:
    """Which tail outlasts which TIME-WAIT."""
    rows = table.where(estimate="p_stale_data_expected", loss=0.0)
    middle = sorted({float(w or 0.0) for w in rows.column("time_wait")})[-2]
    at = {str(row["tail"]): float(row["value"] or 0.0) for row in rows.where(time_wait=middle)}
    worst, best = max(at, key=lambda tail: at[tail]), min(at, key=lambda tail: at[tail])
    return (
        f"What TIME-WAIT is worth depends on the tail: without losses {seconds(middle)} of it leave old text a chance "
        f"of {percent(at[best])} ({best}) to {percent(at[worst])} ({worst})"
    )


def bytes_title(table: Rows, *, edge: float) -> str:
    """What the clock protects, and what it does not."""
    rows = table.where(isn="clock", estimate="p_stale_data_expected")
    below = [float(r["value"] or 0.0) for r in rows if float(r["size"] or 0.0) < edge]
    above = [float(r["value"] or 0.0) for r in rows if float(r["size"] or 0.0) > edge]
    shield = "nothing" if not any(below) else "something"
    return (
        f"A clock-driven ISN is a cliff: {shield} old gets in after up to {edge:,.0f} bytes; beyond, where the text "
        f"has outrun the clock, it does in up to {percent(max(above))} of runs"
    )


def lifetime_title(table: Rows) -> str:
    """The square where waiting is enough, and the worst one."""
    rows = list(table.where(estimate="p_stale_data_expected"))
    waited = [row for row in rows if float(row["time_wait"] or 0.0) >= float(row["lifetime"] or 0.0)]
    other = [float(row["value"] or 0.0) for row in rows if row not in waited]
    enough = not any(float(row["value"] or 0.0) for row in waited)
    return (
        f"A TIME-WAIT as long as segments live {'lets nothing old in' if enough else 'still lets old text in'}; a "
        f"shorter one does in {percent(min(other))} to {percent(max(other))} of runs"
    )


def paws_title(rows: Rows) -> str:
    """What timestamps are worth at the highest share of copies."""
    most = max(map(float, rows.array("duplicate")))
    (without,) = rows.where(duplicate=most, timestamps="without")
    (stamped,) = rows.where(duplicate=most, timestamps="with")
    few = float(stamped["value"] or 0.0)
    rest = percent(few) if few else f"none of {int(stamped['n'] or 0):,}"
    return (
        f"Timestamps refuse old text (PAWS): wrong bytes in {percent(float(without['value'] or 0.0))} of runs without, "
        f"{rest} with them"
    )
