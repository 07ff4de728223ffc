"""Options: what the SYNs negotiate, and what timestamps do on every later segment (RFC 7323)."""

from typing import Final

from netsim.tcp.clauses import PAWS, TIMESTAMP_MISSING
from netsim.tcp.output import MAC_BYTES, TS_BYTES, round_buffer
from netsim.tcp.segment import HALF, MASK, RST, SYN, Options, Segment
from netsim.tcp.state import ESTABLISHED
from netsim.tcp.tcb import Tcb

TS_RECENT_VALID: Final = 24 * 86_400 * 10**9  # ns; an older TS.Recent is invalid: RFC 7323 5.5
_NONE: Final = Options()


def negotiate(tcb: Tcb, options: Options | None, now: int) -> None:
    """Set MSS, window scale, timestamps and SACK from the peer's SYN: an option is used only if both hosts offer it."""
    config = tcb.config
    peer = options if options is not None else _NONE
    mss = peer.mss or config.mss_default
    tcb.snd_mss = mss if mss < config.mss else config.mss
    if config.window_scale is not None and peer.wscale is not None:
        tcb.scaling = True
        tcb.rcv_wscale, tcb.snd_wscale = config.window_scale, min(peer.wscale, 14)
    tcb.sack_ok = config.sack and peer.sack_permitted
    tcb.ts_ok = config.timestamps and peer.ts_val is not None
    if tcb.ts_ok:
        assert peer.ts_val is not None
        tcb.with_options = True
        tcb.ts_recent, tcb.ts_recent_at = peer.ts_val, now
        tcb.snd_mss = max(1, tcb.snd_mss - TS_BYTES)
    if config.authentication_key is not None:
        tcb.snd_mss = max(1, tcb.snd_mss - MAC_BYTES)
    if config.buffer_rounding and tcb.listener is None:
        round_buffer(tcb, min(mss, config.mss))


def refused_by_timestamp(tcb: Tcb, segment: Segment, now: int) -> str:
    """The clause by which its timestamp refuses this segment, or the empty string (RFC 7323 3.2 and 5.3, R1)."""
    if segment.flags & RST:
        return ""
    options = segment.options
    if options is None or options.ts_val is None:
        return TIMESTAMP_MISSING if tcb.config.missing_timestamp == "drop" else ""
    behind = (tcb.ts_recent - options.ts_val) & MASK
    if 0 < behind < HALF and now - tcb.ts_recent_at <= TS_RECENT_VALID:
        return PAWS
    return ""


def _acceptable_ack(tcb: Tcb, segment: Segment) -> bool:
    """Whether a segment's ACK lies between SND.UNA and SND.NXT, and it is no SYN or RST."""
    ahead = (segment.ack - tcb.snd_una) & MASK
    return not segment.flags & (SYN | RST) and ahead <= (tcb.snd_nxt - tcb.snd_una) & MASK


def update_ts_recent(tcb: Tcb, segment: Segment, now: int) -> None:
    """Set TS.Recent from a segment that begins at or before the last ACK that was sent (RFC 7323 5.3, R3).

    The segment has passed PAWS: its timestamp is not older than TS.Recent, or TS.Recent is invalid by its age (5.5).
    """
    options = segment.options
    if options is None or options.ts_val is None:
        return
    if tcb.config.ts_recent_update == "ack" and tcb.state >= ESTABLISHED and not _acceptable_ack(tcb, segment):
        return
    if (tcb.last_ack_sent - segment.seq) & MASK < HALF:
        tcb.ts_recent, tcb.ts_recent_at = options.ts_val, now


def echo_sample(tcb: Tcb, segment: Segment, now: int) -> int | None:
    """An RTT sample (ns) from the timestamp that the peer echoes, at least one tick, or None (RFC 7323 4, RTTM)."""
    options = segment.options
    if options is None or not options.ts_ecr:
        return None
    ticks = (tcb.ctx.ts_clock(now, tcb.config) - options.ts_ecr) & MASK
    if ticks >= HALF:
        return None
    tick: int = tcb.config.ns.ts_tick
    return max(ticks, 1) * tick


def echoes_our_syn(tcb: Tcb, segment: Segment, now: int) -> bool:
    """Whether a SYN of this OPEN may have carried the timestamp that the peer echoes; True if it echoes none."""
    options = segment.options
    if options is None or not options.ts_ecr:
        return True
    first = tcb.sent_at if tcb.transmissions == 1 else tcb.silent_since  # when the first SYN was sent
    oldest, newest = (tcb.ctx.ts_clock(time, tcb.config) for time in (first, now))
    return (options.ts_ecr - oldest) & MASK <= (newest - oldest) & MASK
