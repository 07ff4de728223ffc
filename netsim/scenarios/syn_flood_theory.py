"""The closed forms of ``netsim.theory`` for a SYN flood, under the names of the scenario's estimates."""

from netsim.scenarios.syn_flood_parameters import Params
from netsim.tcp.listening.listener import syn_queue_limit
from netsim.theory import (
    erlang_b,
    p_all_blocked_periodic,
    p_blocked_in_first_lifetime,
    p_survives_bucket_drop,
    p_survives_oldest_drop,
    p_survives_random_drop,
)

CROWDED = 20.0  # offered load over slots from which a queue with random drop is full all the time
LITTLE = 0.5  # legitimate entries on average, or of retransmitted SYNs, that do not matter to the attacker's queue


def flood_theory(params: Params, *, rtt: float) -> dict[str, float]:
    """Estimates by name. No loss, silent sources, Poisson arrivals of SYNs and of clients, exact timers.

    The offered load is ``attack_rate`` times the lifetime of a SYN-RECEIVED entry, and ``client_rate`` times the
    ``rtt``, which is how long a client's entry.
    """
    server = params.server
    slots = syn_queue_limit(server, min(params.backlog, server.somaxconn))
    load = params.attack_rate * params.entry_lifetime + params.client_rate * rtt
    if server.syn_cookies == "always":
        return _all_served() | {"half_open": 0.0, "synacks_per_syn": 1.0}
    if server.syncache_hashsize is not None or server.syn_queue_full != "drop":
        return _evicting(params, rtt=rtt, slots=slots, load=load)
    if server.syn_cookies == "on-overflow":
        return _all_served()
    if server.synack_pruning:
        return {}  # how long an entry lives depends on who else is there
    blocked = erlang_b(load=load, slots=slots)
    if len(params.syn_offsets) > 2 and params.client_rate * rtt * blocked > LITTLE:
        return {}  # retransmitted SYNs are load, and arrive when the queue was full: no Poisson process
    values = {"p_first_syn_blocked": blocked, "p_served_at_first_syn": 1 - blocked, "half_open": load * (1 - blocked)}
    if params.attack_rate and params.client_rate * rtt <= LITTLE:
        rate, entry_lifetime, offsets = params.attack_rate, params.entry_lifetime, params.syn_offsets[:-1]
        values["p_first_syn_blocked_from_empty"] = p_blocked_in_first_lifetime(
            attack_rate=rate, slots=slots, entry_lifetime=entry_lifetime
        )
        values["p_never_connected_from_empty"] = p_all_blocked_periodic(
            offsets=offsets, attack_rate=rate, slots=slots, entry_lifetime=entry_lifetime
        )
    return values


def _all_served() -> dict[str, float]:
    """Cookies: every SYN is answered, and with nothing lost every client comes back in time."""
    blocked = (
        "p_first_syn_blocked",
        "p_first_syn_blocked_from_empty",
        "p_never_connected",
        "p_diverged",
    )
    return dict.fromkeys(blocked, 0.0) | dict.fromkeys(("p_served", "p_served_at_first_syn"), 1.0)


def _evicting(params: Params, *, rtt: float, slots: int, load: float) -> dict[str, float]:
    """Every SYN is answered; a client is served if its entry is still there one round trip later."""
    server, rate = params.server, params.attack_rate + params.client_rate
    values = {"p_first_syn_blocked": 0.0, "p_never_connected": 0.0}
    if server.syncache_hashsize is not None:
        kept = p_survives_bucket_drop(
            attack_rate=rate, rtt=rtt, buckets=server.syncache_hashsize, bucket_size=server.syncache_bucketlimit
        )
    elif server.syn_queue_full == "recycle-oldest":
        kept = p_survives_oldest_drop(attack_rate=rate, rtt=rtt, slots=slots)
    elif load >= CROWDED * slots:
        kept = p_survives_random_drop(attack_rate=rate, rtt=rtt, slots=slots)
    else:
        return values
    return values | {"p_served_at_first_syn": kept, "p_served": kept, "p_diverged": 1 - kept}
