"""Theory: what can be computed without a simulation, as closed formulas, recursions and exact enumerations.

The package knows nothing of the simulator or of the TCP in it. That is its purpose: two independent ways to the same
number. The tests compare simulated estimates with these values, and the figures draw them as dashed curves. A function
takes the few numbers that matter (losses, delays, timers, windows) and returns a probability, a mean or a whole
distribution. Its docstring says under which conditions the value is exact; where a function is an approximation, it
says of what, and where it fails. A scenario's ``theory(params)`` translates its parameters into these arguments, and
returns no value where the conditions do not hold.

- ``setup``, ``setup_chain``, ``setup_closed_forms``: the latency of connection setup. `setup_latency` enumerates the
  exact distribution for any schedule of retransmissions; the closed forms (`cardwell_mean`, ...) hold for unlimited
  exponential back-off.
- ``stale``, ``late``, ``reuse``, ``incarnation``: which sequence numbers of an old connection a new one accepts, with
  random, clock-driven and fixed initial sequence numbers; the probability that a segment outlives TIME-WAIT; the four
  cells of RFC 1185.
- ``teardown``, ``closing``, ``occupancy``: how LAST-ACK ends, for any length of TIME-WAIT; the number of segments and
  the latency of a close; the sockets and ports that TIME-WAIT occupies.
- ``two_way``: the ghost connections that duplicates and delays cause in a two-way handshake.
- ``backlog``, ``syn_defences``: SYN floods (Erlang's formula, retransmissions that meet the same full queue, eviction,
  SYN cookies).
- ``blind``, ``forged_open``: how many forged segments an off-path attacker needs, under RFC 793 and RFC 5961, and the
  guessing of initial sequence numbers.
- ``distribution``, ``schedule``: discrete distributions of latencies, and retransmission schedules.

Times are seconds (float), probabilities lie in [0, 1]. An argument outside its range raises ValueError.
"""

from netsim.theory.backlog import (
    erlang_b,
    fill_time,
    fluid_blocking,
    mean_entry_lifetime,
    p_all_blocked_markov,
    p_all_blocked_periodic,
    p_blocked_from_empty,
    p_blocked_in_first_lifetime,
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
    clock_isn_guesses,
    counter_isn_guesses,
    p_clock_isn_guessed,
    p_counter_isn_guessed,
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
    rfc9293_client_distribution,
    rfc9293_client_mean,
    rfc9293_server_mean,
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
from netsim.theory.two_way import p_ghost_delay, p_ghost_duplicate

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
    "cardwell_mean",
    "clock_isn_accepts",
    "clock_isn_advance",
    "clock_isn_guesses",
    "clock_isn_hazard",
    "close_latency",
    "close_segments",
    "connection_rate_ceiling",
    "counter_isn_guesses",
    "erlang_b",
    "expected_acceptances",
    "fill_time",
    "fixed_isn_accepts",
    "fluid_blocking",
    "incarnation_cell",
    "mean_entry_lifetime",
    "mean_population",
    "old_bytes_acceptable",
    "p_accept",
    "p_all_blocked_markov",
    "p_all_blocked_periodic",
    "p_blocked_from_empty",
    "p_blocked_in_first_lifetime",
    "p_clean_without_time_wait",
    "p_clock_isn_guessed",
    "p_cookie_forged",
    "p_cookie_valid",
    "p_counter_isn_guessed",
    "p_fin_retransmissions",
    "p_fixed_isn_accepted",
    "p_ghost_delay",
    "p_ghost_duplicate",
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
    "rfc9293_client_distribution",
    "rfc9293_client_mean",
    "rfc9293_server_mean",
    "saturating_rate",
    "setup_latency",
    "single_syn_p_diverged",
    "stateless_mean",
    "stateless_p_fail",
    "synacks_per_spoofed_syn",
    "teardown_outcome",
]
