"""Compares a recorded run with a simulated one, and finds the first difference.

The rules are those of ``docs/recordings.md``. The phase of a kernel's timer wheel at the start of a recording is not
known: 64 phases are simulated, and a scenario matches if one of them explains all of it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Final

from netsim.referees.recordings.exchange import Exchange, Packet
from netsim.referees.recordings.files import read_recording
from netsim.referees.recordings.run import host_config
from netsim.referees.recordings.scenario import ENDS, End, RecordingError, Scenario, read_scenarios
from netsim.referees.recordings.simulate import simulate

PHASES: Final = 64
_SLOT: Final = 0.032  # s; 64 of them make the coarsest slot that recordings of a few minutes use
_WITHIN_TICK: Final = 0.001  # s; the phases lie at four places within a tick of 4 ms
_EXACT: Final = 0.005  # s; what a kernel and the recorder may add to any delay
_SHARE: Final = 0.06  # of a delay
# (delays up to this, slot), s, at 250 Hz: kernel/time/timer.c
_SLOTS: Final = ((0.252, 0.004), (2.016, 0.032), (16.128, 0.256), (129.024, 2.048), (float("inf"), 16.384))
_SHOWN: Final = 4  # packets before a difference, and as many after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first difference: its description, its time (s), and the packets around it in both exchanges."""

    description: str
    time: float
    recorded: tuple[str, ...] = ()
    simulated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on a scenario. ``difference`` is None for a match.

    ``phase`` is the phase of the timer wheel (of 64) that explains the recording, or the one that explains most of it.
    """

    name: str
    phase: int
    difference: Difference | None

    @property
    def match(self) -> bool:
        """Whether the simulation shows what the kernel did."""
        return self.difference is None


def scenarios_of(folder: Path, name: str | None = None, *, profile: str = "linux") -> list[Scenario]:
    """The scenarios of ``folder``, or the one named ``name``. RecordingError if it is missing or malformed."""
    found = read_scenarios(folder)
    for scenario in found:
        for end, plan in (("client", scenario.client), ("server", scenario.server)):
            _check_settings(folder, scenario, end, plan, profile)
    if name is None:
        return found
    chosen = [scenario for scenario in found if scenario.name == name]
    if not chosen:
        known = ", ".join(scenario.name for scenario in found)
        raise RecordingError(f"scenario = {name!r}: must be one of {known}")
    return chosen


def _check_settings(folder: Path, scenario: Scenario, end: str, plan: End, profile: str) -> None:
    try:
        host_config(plan, profile=profile, phase=0.0)
    except ValueError as error:
        raise RecordingError(f"{folder / 'scenarios.json'}: {scenario.name}: {end}.sysctl: {error}") from None


def compare(folder: Path, scenario: Scenario, *, profile: str = "linux") -> Verdict:
    """The verdict on one scenario: it matches if one phase of the timer wheel explains all of it."""
    recorded = read_recording(folder, scenario.name)
    best: Verdict | None = None
    for phase in range(PHASES):
        simulated = simulate(scenario, profile=profile, phase=phase * _SLOT + phase % 4 * _WITHIN_TICK)
        difference = first_difference(recorded, simulated, scenario)
        verdict = Verdict(name=scenario.name, phase=phase, difference=difference)
        if difference is None:
            return verdict
        if best is None or best.difference is None or difference.time > best.difference.time:
            best = verdict
    assert best is not None
    return best


def first_difference(recorded: Exchange, simulated: Exchange, scenario: Scenario) -> Difference | None:
    """The earliest packet that differs; otherwise the first result, error delay or state that does."""
    packets, ours = recorded.normalized(), simulated.normalized()
    found = [_in_packets(packets, ours, end, scenario.duration) for end in ENDS]
    differences = [difference for difference in found if difference is not None]
    if differences:
        first = min(differences, key=lambda difference: difference.time)
        around = _around(packets, first.time), _around(ours, first.time)
        return replace(first, recorded=around[0], simulated=around[1])
    for end in ENDS:
        difference = (
            _in_results(recorded, simulated, end, scenario.end(end))
            or _in_error_delays(recorded, simulated, end)
            or _in_states(recorded, simulated, end)
        )
        if difference is not None:
            return difference
    return None


def _in_packets(
    recorded: Sequence[Packet], simulated: Sequence[Packet], end: str, duration: float
) -> Difference | None:
    """The first packet of ``end`` that differs. What is due after the end of the recording is not compared."""
    for theirs, ours in zip_longest(*([p for p in packets if p.sender == end] for packets in (recorded, simulated))):
        if theirs is None:
            if ours.time + _tolerance(ours.since, timer=ours.timer) >= duration:
                return None
            return Difference(description=f"simulated, but not recorded: {_inline(ours)}", time=ours.time)
        if ours is None:
            if theirs.time >= duration:
                return None
            return Difference(description=f"recorded, but not simulated: {_inline(theirs)}", time=theirs.time)
        difference = _between(theirs, ours)
        if difference is not None:
            return difference
    return None


def _between(recorded: Packet, simulated: Packet) -> Difference | None:
    """The difference between two packets: in their fields, in the time of sending, or in their one-way delays."""
    if recorded.compared() != simulated.compared():
        description = f"recorded {_inline(recorded)}; simulated {_inline(simulated)}"
        return Difference(description=description, time=min(recorded.time, simulated.time))
    allowed = _tolerance(recorded.since, timer=simulated.timer)
    if abs(recorded.since - simulated.since) > allowed:
        delays = f"recorded {recorded.since:.3f} s after the previous event, simulated {simulated.since:.3f} s"
        return Difference(description=f"{delays}, tolerance {allowed:.3f} s: {_inline(recorded)}", time=recorded.time)
    for theirs, ours in zip(recorded.one_way_delays(), simulated.one_way_delays(), strict=True):
        if abs(theirs - ours) > _tolerance(theirs, timer=False):
            description = f"one-way delay recorded {theirs:.3f} s, simulated {ours:.3f} s: {_inline(recorded)}"
            return Difference(description=description, time=recorded.time)
    return None


def _tolerance(since: float, *, timer: bool) -> float:
    """How much a delay may differ: the larger of 5 ms and 6 %, and a slot of the timer wheel if a timer caused it."""
    allowed = max(_EXACT, _SHARE * since)
    return allowed + next(slot for limit, slot in _SLOTS if since <= limit) if timer else allowed


def _in_results(recorded: Exchange, simulated: Exchange, end: str, plan: End) -> Difference | None:
    """The results of calls. A killed process has reported only some; several processes report in any order."""
    theirs, ours = recorded.results[end], simulated.results[end]
    if plan.does("kill_at"):
        same = _is_subsequence(theirs, ours)
    elif plan.does("accept_each"):
        same = Counter(theirs) == Counter(ours)
    else:
        same = theirs == ours
    return None if same else _of_lists(f"application of {end}", theirs, ours)


def _in_error_delays(recorded: Exchange, simulated: Exchange, end: str) -> Difference | None:
    """How long errors took. A killed process has reported only some."""
    for theirs, ours in zip(recorded.error_delays[end], simulated.error_delays[end], strict=False):
        if abs(theirs - ours) > _tolerance(theirs, timer=True):
            delays = f"recorded {theirs:.3f} s after the previous event, simulated {ours:.3f} s"
            return Difference(description=f"application of {end}: error {delays}", time=float("inf"))
    return None


def _in_states(recorded: Exchange, simulated: Exchange, end: str) -> Difference | None:
    """A kernel's states are polled, so that some are missed: those seen must be a subsequence of the simulated ones."""
    theirs, ours = recorded.states[end], simulated.states[end]
    return None if _is_subsequence(theirs, ours) else _of_lists(f"states of {end}", theirs, ours)


def _of_lists(what: str, recorded: Sequence[str], simulated: Sequence[str]) -> Difference:
    return Difference(
        description=f"{what}: recorded {recorded}; simulated {simulated}",
        time=float("inf"),
        recorded=tuple(recorded),
        simulated=tuple(simulated),
    )


def _is_subsequence(part: Iterable[str], whole: Iterable[str]) -> bool:
    rest = iter(whole)
    return all(item in rest for item in part)


def _around(packets: Sequence[Packet], time: float) -> tuple[str, ...]:
    """The packets around ``time`` as lines."""
    before = [packet for packet in packets if packet.time < time][-_SHOWN:]
    after = [packet for packet in packets if packet.time >= time][:_SHOWN]
    return tuple(map(str, [*before, *after]))


def _inline(packet: Packet) -> str:
    """A packet within a sentence."""
    return str(packet).strip()
