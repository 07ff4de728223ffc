"""What the closed forms of ``netsim.theory`` say of a close, under the names of the scenario's estimates."""

import math
from dataclasses import dataclass
from typing import Final

from netsim.link import DelayDistribution, Exponential, Fixed
from netsim.scenarios.closing import MOST_FINS, UNREAD, fin_intervals, first_retransmission, rtt_is_measured
from netsim.scenarios.teardown_parameters import Params
from netsim.sim.network import NS
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.recovery.delayed_ack import first_delay
from netsim.theory import CloseLatency, close_latency, close_segments
from netsim.units import nanoseconds

_RARELY: Final = 1e-6  # P(an end times out) above which the mean changes noticeably


def teardown_theory(params: Params) -> dict[str, float]:
    """The values by the names of the scenario's estimates; empty where none holds."""
    rtt = nanoseconds(params.delay_forward) + nanoseconds(params.delay_reverse)
    client, server = params.client, params.server
    if params.close in ("abort", "unread"):
        return _theory_of_reset(params)
    if client.timer_hz or server.timer_hz or client.keepalive or server.keepalive:
        return {}
    if not rtt_is_measured(rtt, client, server) or not (
        _retransmits_if_lost(client, rtt, server) and _retransmits_if_lost(server, rtt, client)
    ):
        return {}
    if params.close == "simultaneous":
        return _theory_of_simultaneous(params)
    if params.unsent_bytes:
        return _theory_of_data(params, rtt)
    return _theory_of_close(params, rtt)


def _retransmits_if_lost(config: TcpConfig, rtt: int, peer: TcpConfig) -> bool:
    """Whether an end retransmits its FIN if, and only if, it is lost: after an answer could arrive, and before R2."""
    repeat, patience = first_retransmission(config, rtt, peer=peer), config.ns.user_timeout
    return rtt < repeat and len(fin_intervals(config, rtt, peer=peer)) > 1 and (patience is None or repeat < patience)


def _theory_of_reset(params: Params) -> dict[str, float]:
    """One RST decides: it arrives, or the other end never learns of the close."""
    if params.client.keepalive or params.server.keepalive:
        return {}
    if params.close == "unread" and _may_still_move(params):
        return {}
    ends = [("server", params.loss_forward), ("client", params.loss_reverse)]
    (victim, loss), (closer, _) = ends if params.close == "abort" else reversed(ends)
    delay = params.delay_forward if params.close == "abort" else params.delay_reverse
    values = {
        "segments": 1.0,
        f"p_{closer}_abort": 1.0,
        f"p_{victim}_reset": 1 - loss,
        f"p_{victim}_never_closed": loss,
    }
    return values | ({f"{victim}_latency": delay} if loss < 1 else {})


def _may_still_move(params: Params) -> bool:
    """Whether the unread data takes more than one segment, and so perhaps more time than it is given."""
    client, server = params.client, params.server
    return min(client.mss, server.mss, client.send_buffer, server.receive_buffer) < 2 * UNREAD


def _theory_of_simultaneous(params: Params) -> dict[str, float]:
    """Two FINs that cross and the ACK of each: four segments exactly if none is lost."""
    none_lost = ((1 - params.loss_forward) * (1 - params.loss_reverse)) ** 2
    values = {"p_four_segments": none_lost}
    if none_lost == 1:
        rtt = params.delay_forward + params.delay_reverse
        values |= {"segments": 4.0, "client_latency": rtt, "server_latency": rtt, "p_client_time_wait": 1.0}
        values["p_server_time_wait"] = 1.0
    return values


def _theory_of_close(params: Params, rtt: int) -> dict[str, float]:
    """Three or four segments by the distribution of the think time; latencies for a constant one."""
    client, server = params.client, params.server
    repeat, orphaned = first_retransmission(client, rtt, peer=server), client.ns.fin_wait_2_timeout
    ack_delay = _fin_ack_delay(server)
    distribution = _cdf(params.think_time)
    if distribution is None or ack_delay + rtt >= repeat or distribution.jumps_at(repeat - rtt):
        return {}
    if params.close == "close" and orphaned is not None and distribution.below(orphaned) < 1:
        return {}
    piggybacked, late = distribution.below(ack_delay), 1 - distribution.below(repeat - rtt)
    segments = close_segments(
        p_piggybacked=piggybacked, p_late=late, loss_forward=params.loss_forward, loss_reverse=params.loss_reverse
    )
    heard = 1 - params.loss_forward ** len(fin_intervals(client, rtt, peer=server))  # P(some FIN of the client arrives)
    values = {
        "p_three_segments": segments.p_three,
        "p_four_segments": segments.p_four,
        "p_ack_piggybacked": piggybacked * heard,  # the first FIN to arrive is answered before another can come
        "p_server_time_wait": 0.0,  # it closes after the client has, in CLOSE-WAIT
    }
    if distribution.constant is None:
        return values
    if params.loss_forward == params.loss_reverse == 0:
        values |= {"segments": 3.0 if piggybacked else 4.0, "p_client_time_wait": 1.0, "p_server_clean": 1.0}
    latency = exact_latency(params)
    if latency is None:
        return values
    return values | {
        "client_latency": latency.client.mean,
        "client_latency_p95": latency.client.quantile(0.95),
        "server_latency": latency.server.mean,
        "server_latency_p95": latency.server.quantile(0.95),
    }


def _theory_of_data(params: Params, rtt: int) -> dict[str, float]:
    """One segment of data is left. Four segments (FIN, data with the ACK, FIN, ACK) if the ACK waits for it; else five.

    The client acknowledges data and FIN together.
    """
    client, server = params.client, params.server
    distribution, ack_delay, repeat = (
        _cdf(params.think_time),
        _fin_ack_delay(server),
        first_retransmission(client, rtt, peer=server),
    )
    if (
        params.close == "close"
        or params.unsent_bytes > min(client.mss, server.mss)
        or distribution is None
        or ack_delay + rtt >= repeat
    ):
        return {}
    if client.delayed_ack is None or client.quick_acks or client.delayed_ack_timer != "fixed" or server.timestamps:
        return {}
    if params.unsent_bytes > client.receive_buffer or server.tail_loss_probe:
        return {}
    all_arrive = ((1 - params.loss_forward) * (1 - params.loss_reverse)) ** 2
    return {"p_three_segments": 0.0, "p_four_segments": distribution.below(ack_delay) * all_arrive}


def _fin_ack_delay(server: TcpConfig) -> int:
    """For how long (ns) the server delays the ACK of a FIN when no data was sent."""
    delayed = server.ns.delayed_ack
    if server.fin_ack == "immediate" or delayed is None:
        return 0
    if server.delayed_ack_timer == "adaptive":
        return first_delay(server)
    return 0 if server.quick_acks else delayed


def exact_latency(params: Params) -> CloseLatency | None:
    """The distribution of both ends' latencies after a half-close or close; None where the conditions do not hold.

    They are those of ``theory`` for segments, a constant think time, and a negligible probability that an end times
    out, which these distributions leave out.
    """
    think = _cdf(params.think_time)
    rtt = nanoseconds(params.delay_forward) + nanoseconds(params.delay_reverse)
    client = fin_intervals(params.client, rtt, peer=params.server)
    server = fin_intervals(params.server, rtt, peer=params.client)
    unanswered = 1 - (1 - params.loss_forward) * (1 - params.loss_reverse)
    if think is None or think.constant is None or max(len(client), len(server)) > MOST_FINS:
        return None
    if unanswered ** min(len(client), len(server)) > _RARELY:
        return None
    return close_latency(
        client_intervals=client,
        server_intervals=server,
        think=think.constant / NS,
        delay_forward=params.delay_forward,
        delay_reverse=params.delay_reverse,
        loss_forward=params.loss_forward,
        loss_reverse=params.loss_reverse,
    )


@dataclass(frozen=True, slots=True)
class _Think:
    """A think time whose distribution is known: a constant (ns), or exponential with this mean (ns)."""

    constant: int | None = None
    mean: float = 0.0

    def below(self, time: int) -> float:
        """P(think time < ``time``)."""
        if self.constant is not None:
            return float(self.constant < time)
        return -math.expm1(-max(time, 0) / self.mean)

    def jumps_at(self, time: int) -> bool:
        """Whether it is exactly ``time`` with a probability above 0."""
        return self.constant == time


def _cdf(think: float | DelayDistribution) -> _Think | None:
    if isinstance(think, Exponential) and not think.offset:
        return _Think(mean=think.scale * NS)
    seconds = think.seconds if isinstance(think, Fixed) else think
    return _Think(constant=nanoseconds(seconds)) if isinstance(seconds, float | int) else None
