"""TCP_INFO: what the kernel would report of the socket under test (net/ipv4/tcp.c, tcp_get_info)."""

from netsim.referees.packetdrill.host_under_test import HostUnderTest
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.recovery.congestion import UNLIMITED
from netsim.tcp.recovery.send_buffer import unsent
from netsim.tcp.segment import MASK
from netsim.tcp.state import State
from netsim.tcp.tcb import Tcb

_INFINITE = 0x7FFFFFFF  # include/net/tcp.h, TCP_INFINITE_SSTHRESH


def tcp_info(host: HostUnderTest) -> dict[str, float]:
    """TCP_INFO of the socket under test: the fields that the model has, in the kernel's units."""
    numbers, tcb = host.platform.state_numbers, host.tcb
    info: dict[str, float] = {"tcpi_state": numbers[host.state]}
    if tcb is None:
        return info
    info |= _of_connection(tcb, tcb.config, host.now)
    if host.platform.system != "linux":
        return info
    if host.state is State.TIME_WAIT:  # the socket itself is closed: net/ipv4/tcp_minisocks.c, tcp_time_wait
        info["tcpi_state"] = numbers[State.CLOSED]
    if tcb.ecn is None:  # the state CWR, which an echo of ECN causes, is not distinguished from Open
        info["tcpi_ca_state"] = _ca_state(tcb)
    info |= _windows(tcb) | _of_recovery(tcb)
    info["tcpi_delivered"] = host.delivered.get(tcb.id, 1)
    info["tcpi_options"] += 32 * (tcb.id in host.syn_data)
    return info


def _windows(tcb: Tcb) -> dict[str, float]:
    """Congestion window and slow start threshold in segments, as Linux counts them; FreeBSD counts bytes."""
    congestion = tcb.congestion
    if congestion is None:
        return {"tcpi_snd_cwnd": tcb.config.initial_window, "tcpi_snd_ssthresh": _INFINITE}
    window = congestion.prr.window if congestion.prr else congestion.cwnd
    threshold = congestion.ssthresh // tcb.snd_mss if congestion.ssthresh != UNLIMITED else _INFINITE
    return {"tcpi_snd_cwnd": window // tcb.snd_mss, "tcpi_snd_ssthresh": threshold}


def _of_recovery(tcb: Tcb) -> dict[str, float]:
    """The segments that are lost and retransmitted; a lost one counts until it arrives."""
    congestion = tcb.congestion
    since = congestion.recovery_at if congestion is not None and congestion.recovering else 1 << 62
    missing = [sent for sent in tcb.queue if not sent.sacked]
    retransmitted = [sent for sent in missing if sent.transmissions > 1 and not sent.lost]
    rack = congestion.rack if congestion is not None else None
    return {
        "tcpi_lost": sum(sent.lost for sent in missing) + sum(sent.sent_at >= since for sent in retransmitted),
        "tcpi_retrans": len(retransmitted),
        "tcpi_reordering": rack.reordering if rack is not None else 3,
    }


def _ca_state(tcb: Tcb) -> int:
    """Open, Disorder, Recovery or Loss: include/uapi/linux/tcp.h, enum tcp_ca_state."""
    congestion = tcb.congestion
    if tcb.backoff or (congestion is not None and congestion.after_timeout):
        return 4
    if congestion is not None and congestion.in_recovery:
        return 3
    return int(congestion is not None and (congestion.duplicate_acks > 0 or any(sent.sacked for sent in tcb.queue)))


def _of_connection(tcb: Tcb, config: TcpConfig, now: int) -> dict[str, float]:
    """The fields that both systems have."""
    bytes_acknowledged = (tcb.snd_una - tcb.iss - 1) & MASK if tcb.snd_una != tcb.iss else 0
    rtt = tcb.rtt
    measured: dict[str, float] = {}
    if rtt is not None:
        measured = {
            "tcpi_rtt": rtt.srtt // 1000,
            "tcpi_rttvar": rtt.rttvar // 1000,
            "tcpi_min_rtt": rtt.min_rtt // 1000,
        }
    times = tcb.send_times
    spent = (times.busy.read(now), times.rwnd_limited.read(now)) if times is not None else (0, 0)
    return measured | {
        "tcpi_busy_time": spent[0] // 1000,
        "tcpi_rwnd_limited": spent[1] // 1000,
        "tcpi_last_data_recv": (now - tcb.data_at) // 1_000_000,
        "tcpi_options": 1 * tcb.ts_ok | 2 * tcb.sack_ok | 4 * tcb.scaling | 8 * (tcb.ecn is not None),
        "tcpi_snd_mss": tcb.snd_mss,
        "tcpi_advmss": config.mss,
        "tcpi_rto": tcb.rto // 1000,
        "tcpi_backoff": tcb.backoff,
        "tcpi_probes": tcb.probes,
        "tcpi_retransmits": tcb.backoff,
        "tcpi_unacked": len(tcb.queue),
        "tcpi_sacked": sum(sent.sacked for sent in tcb.queue),
        "tcpi_bytes_acked": bytes_acknowledged - (tcb.fin_seq >= 0 and tcb.snd_una == (tcb.fin_seq + 1) & MASK),
        "tcpi_bytes_received": max(((tcb.rcv_nxt - tcb.irs - 1) & MASK) - (tcb.peer_fin >= 0), 0),
        "tcpi_notsent_bytes": unsent(tcb),
        "tcpi_snd_wnd": tcb.snd_wnd,
        "tcpi_snd_wscale": tcb.snd_wscale,
        "tcpi_rcv_wscale": tcb.rcv_wscale,
    }
