"""What happens to packets between two hosts: one direction is a Path, opened as a Pipe for each run.

Pure and standard library only. Seconds, bytes, bit/s and probabilities in the configuration; whole
nanoseconds while packets fly.
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
from netsim.link.stage import Ledger, Stage, Step, Stream
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
    "Ledger",
    "Lifetime",
    "LiveScript",
    "Lognormal",
    "Loss",
    "Outage",
    "Pareto",
    "Path",
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
