"""A recorded scenario, simulated: what the hosts of a profile do in the same situation."""

from typing import Final

from netsim.referees.recordings.application import Application
from netsim.referees.recordings.exchange import Exchange
from netsim.referees.recordings.run import LEAD, Run
from netsim.referees.recordings.scenario import ENDS, Scenario
from netsim.referees.recordings.steps import start

# The run is longer than the recording by a tenth and 5 s, for packets that are late within their tolerance.
_LONGER: Final = 1.1
_AFTERWARDS: Final = 5.0


def simulate(scenario: Scenario, *, profile: str, phase: float) -> Exchange:
    """What the hosts of ``profile`` do in ``scenario``, with their clocks at ``phase`` (s) when the run starts."""
    run = Run(scenario, profile=profile, phase=phase)
    for end in ENDS:
        start(Application(run, end))
    run.world.run(until=LEAD + _LONGER * scenario.duration + _AFTERWARDS)
    return run.exchange
