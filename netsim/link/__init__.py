"""What happens to packets between two hosts. Pure, standard library only; it knows nothing of TCP.

Theory of operation
-------------------

A ``Path`` describes one direction between two hosts: a frozen value, with seconds, bytes, bit/s and probabilities.
``Path.open`` makes a ``Pipe`` of it, which has the state of one run and counts in whole nanoseconds.

**Stages.** A packet is handled once, when it is sent. It passes the stages of the path in turn: loss, jitter, stages of
the user's choice, delay, reordering, duplication, lifetime. Each gets the arrival times of the copies that are still
there, the original first, and returns those of the copies that survive, moved or multiplied. What comes out of the last
stage are the times at which copies arrive; an empty list is a lost packet, and ``Pipe.cause`` names the stage that lost
it. So packets need no queue between the hosts, and a pipe needs no clock.

**Random numbers.** A stage draws from a stream of its own, once for every packet that is sent, whether or not another
stage has lost it. What it does to the n-th packet therefore depends on its own stream and on n alone: to add, remove or
change another stage changes nothing for it, and variants of a path can share random numbers. Copies (there is usually
none) draw from a second stream, "NAME.copies", for the same reason.

**Speed.** Most paths only lose packets independently and delay them by a constant. They open as a ``wire``: one
function from the time of sending to the time of arrival, with the same draws.

- stage.py: the protocol of a stage; loss.py, timing.py: the stages; script.py: faults for the n-th packet of a kind;
- distributions.py: random delays; parse.py: their form as strings, such as "20ms+exponential:30ms".

Your own stage is any frozen object with a ``name`` and a ``start`` (see ``Stage``), given in ``Path(stages=...)``.
"""

from netsim.link.distributions import (
    DelayDistribution,
    Empirical,
    Exponential,
    Fixed,
    FunctionDelay,
    Lognormal,
    Pareto,
    Source,
    TruncatedNormal,
    Uniform,
)
from netsim.link.loss import BurstLoss, Corrupt, GilbertElliott, GilbertElliottTime, Lifetime, Loss, Outage
from netsim.link.parse import DELAY_DISTRIBUTION_FORMS, parse_delay_distribution
from netsim.link.path import Path, Pipe, Wire
from netsim.link.script import KINDS, Fault, LiveScript, Scripted, parse_fault
from netsim.link.stage import PathCounters, Stage, Step, Stream
from netsim.link.timing import Bottleneck, Delay, Duplicate, Jitter, Reorder

__all__ = [
    "DELAY_DISTRIBUTION_FORMS",
    "KINDS",
    "Bottleneck",
    "BurstLoss",
    "Corrupt",
    "Delay",
    "DelayDistribution",
    "Duplicate",
    "Empirical",
    "Exponential",
    "Fault",
    "Fixed",
    "FunctionDelay",
    "GilbertElliott",
    "GilbertElliottTime",
    "Jitter",
    "Lifetime",
    "LiveScript",
    "Lognormal",
    "Loss",
    "Outage",
    "Pareto",
    "Path",
    "PathCounters",
    "Pipe",
    "Reorder",
    "Scripted",
    "Source",
    "Stage",
    "Step",
    "Stream",
    "TruncatedNormal",
    "Uniform",
    "Wire",
    "parse_delay_distribution",
    "parse_fault",
]
