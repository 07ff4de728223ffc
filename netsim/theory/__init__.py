"""Exact results: the oracles of the tests and the dashed curves of the figures.

- Connection setup: `setup_latency` enumerates exactly, under any schedule and with give-up limits; the closed
  forms (`cardwell_mean`, ...) cover exponential back-off without limits.
- Stale segments: how many sequence numbers are acceptable, and with what probability an old segment meets one
  of them, for random, clock-driven and fixed ISNs; the chance that a segment outlives TIME-WAIT.

Times are float seconds, probabilities are in [0, 1]; a parameter outside its range raises ValueError.
"""

from netsim.theory.distribution import LatencyDistribution
from netsim.theory.late import p_late_exponential, p_late_pareto
from netsim.theory.reuse import NewConnection, OldSegment, p_some_copy_accepted
from netsim.theory.setup import SetupLatency, SetupModel, setup_latency
from netsim.theory.setup_chain import Policy, Tie
from netsim.theory.setup_closed_forms import (
    cardwell_mean,
    literal_client_mean,
    literal_distribution,
    literal_server_mean,
    single_syn_p_diverged,
    stateless_mean,
    stateless_p_fail,
)
from netsim.theory.stale import (
    acceptable_differences,
    acceptable_sequences,
    clock_isn_accepts,
    clock_isn_advance,
    clock_isn_hazard,
    expected_acceptances,
    fixed_isn_accepts,
    p_accept,
    p_fixed_isn_accepted,
    p_old_handshake_completes,
    p_run_accepted,
    p_segment_accepted,
)

__all__ = [
    "LatencyDistribution",
    "NewConnection",
    "OldSegment",
    "Policy",
    "SetupLatency",
    "SetupModel",
    "Tie",
    "acceptable_differences",
    "acceptable_sequences",
    "cardwell_mean",
    "clock_isn_accepts",
    "clock_isn_advance",
    "clock_isn_hazard",
    "expected_acceptances",
    "fixed_isn_accepts",
    "literal_client_mean",
    "literal_distribution",
    "literal_server_mean",
    "p_accept",
    "p_fixed_isn_accepted",
    "p_late_exponential",
    "p_late_pareto",
    "p_old_handshake_completes",
    "p_run_accepted",
    "p_segment_accepted",
    "p_some_copy_accepted",
    "setup_latency",
    "single_syn_p_diverged",
    "stateless_mean",
    "stateless_p_fail",
]
