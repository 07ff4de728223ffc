"""The events of a trace that belong to one connection, as one of its ends saw them."""

from collections.abc import Iterable
from dataclasses import dataclass

from netsim.tcp.actions import Allocated
from netsim.tcp.segment import FourTuple
from netsim.trace.events import Arrived, Called, Decided, Packet, Sent, TraceEvent


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``events``: calls and segments, from the call that opened the connection. ``flow`` as this end sends it."""

    flow: FourTuple
    passive: bool
    events: tuple[Called | Sent | Arrived, ...]


def endpoint(events: Iterable[TraceEvent], host: str, connection: int) -> Endpoint:
    """The connection with this number at ``host``, until its four-tuple is reused.

    ValueError if the trace has no such connection.
    """
    own = [event for event in events if event.host == host]
    created, flow = _creation(own, host, connection)
    opening = _opening(own[:created], own[created].time, flow)
    passive = not opening or opening[-1].call == "listen"
    start = own.index(opening[0]) if opening else 0
    kept: list[Called | Sent | Arrived] = []
    listening = passive
    for event in own[start:]:
        match event:
            case Decided(decision=Allocated(connection=number, flow=reused), packet=packet) if reused == flow:
                if number > connection:
                    return Endpoint(flow, passive, tuple(_without_arrival(kept, packet)))
            case Called(call="crash"):
                kept.append(event)
            case Called(connection=0, call=call) if event not in opening:
                listening = listening and call not in ("bind", "listen", "connect")
                if listening:
                    kept.append(event)
            case Called(connection=number) if number in (0, connection):
                kept.append(event)
            case Sent() if event.packet.segment.flow == flow:
                kept.append(event)
            case Arrived() if event.packet.segment.flow == flow.reverse():
                kept.append(event)
    return Endpoint(flow, passive, tuple(kept))


def _creation(own: list[TraceEvent], host: str, connection: int) -> tuple[int, FourTuple]:
    """The index of the event that created the connection, and its four-tuple."""
    for index, event in enumerate(own):
        match event:
            case Decided(decision=Allocated(connection=number, flow=flow)) if number == connection:
                return index, flow
    raise ValueError(f"host = {host!r}: its connection {connection} is not in the trace")


def _opening(before: list[TraceEvent], time: int, flow: FourTuple) -> list[Called]:
    """The connect at the time of its creation, or the last listen on its port; with the bind before it."""
    calls = [event for event in before if isinstance(event, Called) and not event.connection]
    for index in range(len(calls) - 1, -1, -1):
        call = calls[index]
        connects = call.call == "connect" and call.phase == "call" and call.time == time
        if connects or (call.call == "listen" and call.detail in (flow.sport, None)):
            bound = index > 0 and calls[index - 1].call == "bind"
            return calls[index - 1 : index + 1] if bound else [call]
    return []


def _without_arrival(kept: list[Called | Sent | Arrived], packet: Packet | None) -> list[Called | Sent | Arrived]:
    """The events without the arrival of the segment that reuses the four-tuple."""
    last = kept[-1] if kept else None
    return kept[:-1] if isinstance(last, Arrived) and last.packet is packet else kept
