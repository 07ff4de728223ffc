"""The study of TIME-WAIT: how many closes are unclean if it is too short, and what it costs."""

from collections.abc import Sequence
from typing import Final

from netsim.scenarios import ports, time_wait
from netsim.studies.study import Case
from netsim.sweep import Rows, Scalar
from netsim.theory import connection_rate_ceiling, mean_population

PORTS: Final = 28_232  # net.ipv4.ip_local_port_range: 32768 to 60999
RATE: Final = 100.0  # connections per second


def time_wait_cases(losses: Sequence[float], lengths: Sequence[float]) -> list[Case]:
    """The same loss in both directions; the client closes first and stays in TIME-WAIT for ``length`` (s)."""
    return [
        Case(
            {"loss": loss, "time_wait": length},
            time_wait.Params(loss_forward=loss, loss_reverse=loss, time_wait=length),
        )
        for loss in losses
        for length in lengths
    ]


def cost_cases(lengths: Sequence[float]) -> list[Case]:
    """A client that closes first, at ``RATE`` connections per second, with enough ports."""
    return [
        Case(
            {"time_wait": length},
            ports.Params(
                local_ports=PORTS, connection_rate=RATE, time_wait=length, warm_up=length + 0.1, observation_time=0.01
            ),
        )
        for length in lengths
    ]


def cost(lengths: Sequence[float]) -> Rows:
    """What TIME-WAIT of each length costs: sockets held (Little), maximum connections per second (ports)."""
    table: list[dict[str, Scalar]] = []
    for length in lengths:
        held = mean_population(rate=RATE, lifetime=length)
        table.append({"time_wait": length, "estimate": "client_time_wait_sockets", "source": "exact", "value": held})
        most = connection_rate_ceiling(ports=PORTS, time_wait=length)
        table.append({"time_wait": length, "estimate": "rate_ceiling", "source": "exact", "value": most})
    return Rows.from_dicts(table)
