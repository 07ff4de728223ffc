"""What TIME-WAIT costs: how many sockets it occupies, and at which rate a host may open connections.

Little's formula needs no assumption on arrivals or lifetimes: a mean population is the arrival rate times the mean
lifetime. It gives the number of sockets in TIME-WAIT (Faber, Touch and Yue, INFOCOM 1999), of ghost connections of a
two-way handshake, and the load offered to a SYN queue.
"""

from netsim.theory._domain import check_count, check_non_negative, check_positive


def mean_population(*, rate: float, lifetime: float) -> float:
    """Mean number that exists when `rate` per second appear, each for `lifetime` seconds: Little's formula. Exact.

    Raises:
        ValueError: a negative or not finite rate or lifetime.
    """
    check_non_negative("rate", rate)
    check_non_negative("lifetime", lifetime)
    return rate * lifetime


def connection_rate_ceiling(*, ports: int, time_wait: float, duration: float = 0.0) -> float:
    """Connections per second that one address can open to one remote address and port, without end.

    Each of the `ports` is held for the connection's `duration` and then for TIME-WAIT, both in seconds, at the
    end that closes first. Linux: 28,232 ports (32768 to 60999, net.ipv4.ip_local_port_range), 60 s: 470.5 /s.

    Raises:
        ValueError: ports outside [0, 65536], a negative time, or both times zero.
    """
    check_count("ports", ports, high=2**16)
    check_non_negative("time_wait", time_wait)
    check_non_negative("duration", duration)
    check_positive("time_wait + duration", time_wait + duration)
    return ports / (time_wait + duration)


def pollaczek_khinchine_wait(*, rate: float, service: float) -> float:
    """Mean wait (s) before one server, first come first served: Poisson arrivals, each served for `service` s.

    rho S / (2 (1 - rho)), with the load rho = rate times service.

    Raises:
        ValueError: a negative rate or service, or a load of 1 or more.
    """
    check_non_negative("rate", rate)
    check_non_negative("service", service)
    load = rate * service
    if load >= 1:
        raise ValueError(f"rate = {rate}: must be below 1 / service = {1 / service}")
    return load * service / (2 * (1 - load))
