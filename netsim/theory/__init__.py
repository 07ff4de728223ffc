"""Exact results: the oracles of the tests and the dashed curves of the figures.

- Connection setup: `setup_latency` enumerates exactly, under any schedule and with give-up limits; the closed
  forms (`cardwell_mean`, ...) cover exponential back-off without limits.
- Stale segments: how many sequence numbers are acceptable, and with what probability an old segment meets one
  of them, for random, clock-driven and fixed ISNs; the chance that a segment outlives TIME-WAIT; the four cells of
  RFC 1185.
- Teardown: how LAST-ACK ends, for any length of TIME-WAIT, what TIME-WAIT costs, in how many segments and how soon a
  close is done.
- Two-way handshake: the ghosts that copies and delays leave.
- SYN floods: Erlang-B, retries against periodic and random holding times, eviction, SYN cookies.
- Blind injection: segments to guess, by a sweep or at random, under RFC 793 and RFC 5961; guessing the ISN of a
  forged connection.

Times are float seconds, probabilities are in [0, 1]; a parameter outside its range raises ValueError.
"""

from netsim.theory.backlog import (
    erlang_b,
    fill_time,
    fluid_blocking,
    mean_half_open_hold,
    p_all_blocked_markov,
    p_all_blocked_periodic,
    p_blocked_from_empty,
    p_blocked_in_first_hold,
    saturating_rate,
)
from netsim.theory.blind import (
    BlindAttack,
    Rules,
    attack_duration,
    bandwidth_delay_window,
    blind_data,
    blind_reset,
    blind_syn,
)
from netsim.theory.closing import CloseLatency, CloseSegments, close_latency, close_segments
from netsim.theory.distribution import LatencyDistribution
from netsim.theory.forged_open import (
    bsd_isn_guesses,
    clock_isn_guesses,
    p_bsd_isn_guessed,
    p_clock_isn_guessed,
    p_uniform_isn_guessed,
)
from netsim.theory.incarnation import IncarnationCell, incarnation_cell, old_bytes_acceptable
from netsim.theory.late import p_late_exponential, p_late_pareto
from netsim.theory.occupancy import connection_rate_ceiling, mean_population, pollaczek_khinchine_wait
from netsim.theory.reuse import Moment, NewConnection, OldSegment, p_some_arrival_accepted, p_some_copy_accepted
from netsim.theory.schedule import backoff_intervals
from netsim.theory.setup import SetupLatency, SetupModel, setup_latency
from netsim.theory.setup_chain import Policy, TieBreak
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
from netsim.theory.syn_defences import (
    p_cookie_forged,
    p_cookie_valid,
    p_survives_bucket_drop,
    p_survives_oldest_drop,
    p_survives_random_drop,
    synacks_per_spoofed_syn,
)
from netsim.theory.teardown import (
    TeardownOutcome,
    p_clean_without_time_wait,
    p_fin_retransmissions,
    p_teardown_timeout,
    teardown_outcome,
)
from netsim.theory.two_way import p_ghost_delay, p_ghost_duplicate, p_ghost_reorder

__all__ = [
    "BlindAttack",
    "CloseLatency",
    "CloseSegments",
    "IncarnationCell",
    "LatencyDistribution",
    "Moment",
    "NewConnection",
    "OldSegment",
    "Policy",
    "Rules",
    "SetupLatency",
    "SetupModel",
    "TeardownOutcome",
    "TieBreak",
    "acceptable_differences",
    "acceptable_sequences",
    "attack_duration",
    "backoff_intervals",
    "bandwidth_delay_window",
    "blind_data",
    "blind_reset",
    "blind_syn",
    "bsd_isn_guesses",
    "cardwell_mean",
    "clock_isn_accepts",
    "clock_isn_advance",
    "clock_isn_guesses",
    "clock_isn_hazard",
    "close_latency",
    "close_segments",
    "connection_rate_ceiling",
    "erlang_b",
    "expected_acceptances",
    "fill_time",
    "fixed_isn_accepts",
    "fluid_blocking",
    "incarnation_cell",
    "literal_client_mean",
    "literal_distribution",
    "literal_server_mean",
    "mean_half_open_hold",
    "mean_population",
    "old_bytes_acceptable",
    "p_accept",
    "p_all_blocked_markov",
    "p_all_blocked_periodic",
    "p_blocked_from_empty",
    "p_blocked_in_first_hold",
    "p_bsd_isn_guessed",
    "p_clean_without_time_wait",
    "p_clock_isn_guessed",
    "p_cookie_forged",
    "p_cookie_valid",
    "p_fin_retransmissions",
    "p_fixed_isn_accepted",
    "p_ghost_delay",
    "p_ghost_duplicate",
    "p_ghost_reorder",
    "p_late_exponential",
    "p_late_pareto",
    "p_old_handshake_completes",
    "p_run_accepted",
    "p_segment_accepted",
    "p_some_arrival_accepted",
    "p_some_copy_accepted",
    "p_survives_bucket_drop",
    "p_survives_oldest_drop",
    "p_survives_random_drop",
    "p_teardown_timeout",
    "p_uniform_isn_guessed",
    "pollaczek_khinchine_wait",
    "saturating_rate",
    "setup_latency",
    "single_syn_p_diverged",
    "stateless_mean",
    "stateless_p_fail",
    "synacks_per_spoofed_syn",
    "teardown_outcome",
]
