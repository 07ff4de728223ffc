"""Whether a recorded run and ours are the same, and the first thing that is not."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Final

from netsim.referees.recordings.errors import RecordingError
from netsim.referees.recordings.exchange import ENDS, Exchange, Packet
from netsim.referees.recordings.files import read_exchange
from netsim.referees.recordings.rebuild import host_config, rebuild
from netsim.referees.recordings.scenario import CLIENT, SERVER, End, Scenario, read_scenarios

PHASES: Final = 64
_SLOT: Final = 0.032  # s; 64 of them make up the coarsest slot that recordings of a few minutes use
_WITHIN_TICK: Final = 0.001  # s; the phases lie at four places within a tick of 4 ms
_EXACT: Final = 0.005  # s that a kernel and its recorder may take
_SHARE: Final = 0.06  # of a delay
# Delays up to so many seconds fall into slots of so many, at 250 Hz: kernel/time/timer.c
_SLOTS: Final = ((0.252, 0.004), (2.016, 0.032), (16.128, 0.256), (129.024, 2.048), (float("inf"), 16.384))
_SHOWN: Final = 4  # packets before a difference, and after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What differs first: in words, when (s), and the lines around it, the recorded ones and ours."""

    text: str
    time: float
    recorded: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One scenario. ``phase`` of 64 explains it, or comes furthest; ``difference`` is None for a match."""

    name: str
    phase: int
    difference: Difference | None

    @property
    def match(self) -> bool:
        """Whether our wire shows what the kernel's did."""
        return self.difference is None


def scenarios_of(folder: Path, name: str | None = None, *, system: str = "linux") -> list[Scenario]:
    """The scenarios of ``folder``, or the one that is named. RecordingError if it is not there, or malformed."""
    found = read_scenarios(folder)
    for scenario in found:
        for end, plan in (("client", scenario.client), ("server", scenario.server)):
            _check_settings(folder, scenario, end, plan, system)
    if name is None:
        return found
    chosen = [scenario for scenario in found if scenario.name == name]
    if not chosen:
        known = ", ".join(scenario.name for scenario in found)
        raise RecordingError(f"scenario = {name!r}: must be one of {known}")
    return chosen


def _check_settings(folder: Path, scenario: Scenario, end: str, plan: End, system: str) -> None:
    try:
        host_config(plan, system=system, phase=0.0)
    except ValueError as error:
        raise RecordingError(f"{folder / 'scenarios.json'}: {scenario.name}: {end}.sysctl: {error}") from None


def compare(folder: Path, scenario: Scenario, *, system: str = "linux") -> Verdict:
    """The verdict on one scenario: a match if one phase of the timer wheel explains all of it."""
    recorded = read_exchange(folder, scenario.name)
    best: Verdict | None = None
    for phase in range(PHASES):
        ours = rebuild(scenario, system=system, phase=phase * _SLOT + phase % 4 * _WITHIN_TICK)
        difference = first_difference(recorded, ours, scenario)
        verdict = Verdict(name=scenario.name, phase=phase, difference=difference)
        if difference is None:
            return verdict
        if best is None or best.difference is None or difference.time > best.difference.time:
            best = verdict
    assert best is not None
    return best


def first_difference(recorded: Exchange, ours: Exchange, scenario: Scenario) -> Difference | None:
    """The earliest packet that differs; else the first application result, else the first state."""
    theirs, mine = recorded.normal(), ours.normal()
    found = [_in_packets(theirs, mine, end, scenario.duration) for end in ENDS]
    differences = [difference for difference in found if difference is not None]
    if differences:
        first = min(differences, key=lambda difference: difference.time)
        return Difference(
            text=first.text,
            time=first.time,
            recorded=_around(theirs, first.time),
            ours=_around(mine, first.time),
        )
    for end, plan in ((CLIENT, scenario.client), (SERVER, scenario.server)):
        difference = (
            _in_results(recorded, ours, end, plan)
            or _in_failures(recorded, ours, end)
            or _in_states(recorded, ours, end)
        )
        if difference is not None:
            return difference
    return None


def _in_packets(theirs: Sequence[Packet], mine: Sequence[Packet], end: str, duration: float) -> Difference | None:
    """The first packet of ``end`` that differs. What is due only after the recording's end counts on neither side."""
    pairs = zip_longest(*([p for p in packets if p.sender == end] for packets in (theirs, mine)))
    for recorded, our in pairs:
        if recorded is None:
            if our.time + _tolerance(our.since, timer=our.timer) >= duration:
                return None
            return Difference(text=f"ours sends what the recording does not have: {our}", time=our.time)
        if our is None:
            if recorded.time >= duration:
                return None
            return Difference(text=f"the recording has what ours does not send: {recorded}", time=recorded.time)
        if recorded.what() != our.what():
            return Difference(text=f"recorded {recorded}; ours {our}", time=min(recorded.time, our.time))
        allowed = _tolerance(recorded.since, timer=our.timer)
        if abs(recorded.since - our.since) > allowed:
            return Difference(
                text=f"recorded {recorded.since:.3f} s after the event before it, ours {our.since:.3f} s, "
                f"allowed {allowed:.3f}: {recorded}",
                time=recorded.time,
            )
        for wanted, taken in zip(recorded.transits(), our.transits(), strict=True):
            if abs(wanted - taken) > _tolerance(wanted, timer=False):
                text = f"recorded {wanted:.3f} s on its way, ours {taken:.3f} s: {recorded}"
                return Difference(text=text, time=recorded.time)
    return None


def _tolerance(since: float, *, timer: bool) -> float:
    """How far a delay may be off: the larger of 5 ms and 6 %, and a slot of the wheel if a timer made it."""
    allowed = max(_EXACT, _SHARE * since)
    return allowed + next(slot for limit, slot in _SLOTS if since <= limit) if timer else allowed


def _in_results(recorded: Exchange, ours: Exchange, end: str, plan: End) -> Difference | None:
    """What the calls returned. A process that was killed has told less than it did; several tell in any order."""
    theirs, mine = recorded.results[end], ours.results[end]
    if plan.does("kill_at"):
        same = _is_subsequence(theirs, mine)
    elif plan.does("accept_each"):
        same = Counter(theirs) == Counter(mine)
    else:
        same = theirs == mine
    if same:
        return None
    return _of_lists(f"application of {end}", theirs, mine)


def _in_failures(recorded: Exchange, ours: Exchange, end: str) -> Difference | None:
    """How long the errors took to come; a process that was killed has told fewer."""
    for theirs, mine in zip(recorded.failed_after[end], ours.failed_after[end], strict=False):
        if abs(theirs - mine) > _tolerance(theirs, timer=True):
            text = (
                f"application of {end}: an error recorded {theirs:.3f} s after the event before it, ours {mine:.3f} s"
            )
            return Difference(text=text, time=float("inf"))
    return None


def _of_lists(what: str, theirs: Sequence[str], mine: Sequence[str]) -> Difference:
    text = f"{what}: recorded {theirs}; ours {mine}"
    return Difference(text=text, time=float("inf"), recorded=tuple(theirs), ours=tuple(mine))


def _in_states(recorded: Exchange, ours: Exchange, end: str) -> Difference | None:
    """A kernel's states are polled, and some missed: those seen must be a subsequence of ours."""
    theirs, mine = recorded.states[end], ours.states[end]
    if _is_subsequence(theirs, mine):
        return None
    return _of_lists(f"states of {end}", theirs, mine)


def _is_subsequence(part: Iterable[str], whole: Iterable[str]) -> bool:
    rest = iter(whole)
    return all(item in rest for item in part)


def _around(packets: Sequence[Packet], time: float) -> tuple[str, ...]:
    """The packets about ``time`` as lines."""
    before = [packet for packet in packets if packet.time < time][-_SHOWN:]
    after = [packet for packet in packets if packet.time >= time][:_SHOWN]
    return tuple(map(str, [*before, *after]))
