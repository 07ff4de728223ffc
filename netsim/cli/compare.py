"""``netsim compare``: recordings of a real kernel against the simulated one, with a line for each scenario."""

import json
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Final

from netsim.cli.errors import UsageError, pick
from netsim.referees.recordings.compare import PHASES, Difference, Verdict, compare, scenarios_of
from netsim.referees.recordings.scenario import RecordingError
from netsim.tcp.config.profiles import PROFILES

DIFFERS: Final = 1
_COLUMN: Final = 58


def check(folder: str, *, scenario: str | None, profile: str, as_json: bool) -> int:
    """Compare the recordings of ``folder`` and print the verdicts; exit status 1 if any scenario differs.

    UsageError for a folder without recordings, or with malformed ones.
    """
    profile = pick("profile", profile, PROFILES)
    verdicts = []
    try:
        for chosen in scenarios_of(Path(folder), scenario, profile=profile):
            verdict = compare(Path(folder), chosen, profile=profile)
            verdicts.append(verdict)
            if not as_json:
                print(_line(verdict), flush=True)
    except RecordingError as error:
        raise UsageError(str(error)) from None
    matches = sum(verdict.match for verdict in verdicts)
    if as_json:
        print(_as_json(verdicts))
    else:
        print(f"{matches} of {len(verdicts)} match")
    return 0 if matches == len(verdicts) else DIFFERS


def _line(verdict: Verdict) -> str:
    phase = f"phase {verdict.phase} of {PHASES}"
    if verdict.difference is None:
        return f"match   {verdict.name} ({phase})"
    return "\n".join(
        [f"differs {verdict.name} ({phase}): {verdict.difference.description}", *_side_by_side(verdict.difference)]
    )


def _side_by_side(difference: Difference) -> list[str]:
    """The packets around the difference in both exchanges, side by side."""
    if not difference.recorded and not difference.simulated:
        return []
    rows = [("recorded", "simulated"), *zip_longest(difference.recorded, difference.simulated, fillvalue="")]
    return [f"    {recorded:<{_COLUMN}}  {simulated}".rstrip() for recorded, simulated in rows]


def _as_json(verdicts: Sequence[Verdict]) -> str:
    matches = sum(verdict.match for verdict in verdicts)
    scenarios = [
        {
            "name": verdict.name,
            "match": verdict.match,
            "phase": verdict.phase,
            "first_difference": verdict.difference.description if verdict.difference is not None else None,
        }
        for verdict in verdicts
    ]
    return json.dumps(
        {"summary": {"match": matches, "differ": len(verdicts) - matches}, "scenarios": scenarios}, indent=2
    )
