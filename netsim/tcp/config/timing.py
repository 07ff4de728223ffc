"""What the policies of timers and acknowledgments mean: the RTO, giving up, delayed ACKs, keep-alive, TIME-WAIT."""

from typing import Any

from netsim.tcp.config.policy import policy, retries, seconds

RTO_INITIAL: Any = seconds(1.0, "RTO before the first sample", "RFC 6298 2.1", least=1e-9)
RTO_MIN: Any = seconds(1.0, "least RTO", "RFC 6298 2.4")
RTO_MAX: Any = seconds(128.0, "greatest RTO", "RFC 6298 2.5: at least 60 s", least=1e-9)
RTO_VARIANCE_FLOOR: Any = seconds(0.0, "least value of the 4 RTTVAR term", "RFC 6298 has none")
RTT_VARIANCE: Any = policy(
    "rfc6298",
    "what the RTO adds to SRTT: four times RTTVAR; or that deviation's peak, to which it falls by a quarter of the way "
    "each round trip, and which grows little where the RTT falls (Linux)",
    "RFC 6298 2.3; net/ipv4/tcp_input.c: tcp_rtt_estimator",
)
RTO_AFTER_SYN_TIMEOUT: Any = seconds(3.0, "RTO for data after the SYN had to be repeated", "RFC 6298 5.7", least=1e-9)
RTO_AFTER_SYN_TIMEOUT_RULE: Any = policy(
    "retransmitted",
    "rto_after_syn_timeout is for an end whose SYN or SYN-ACK a timer repeated, or for any that the handshake gave no "
    "RTT sample: a duplicate SYN had it repeated, or it was a cookie (Linux)",
    "RFC 6298 5.7; net/ipv4/tcp_metrics.c: tcp_init_metrics",
)
CLOCK_GRANULARITY: Any = seconds(0.0, "G of RFC 6298", "RFC 6298 2: exact timers")
RETRIES1: Any = retries(3, "R1: retransmissions before the user is warned", "RFC 9293 3.8.3, SHLD-10")
RETRIES2: Any = retries(
    None, "R2: retransmissions before the connection is given up", "RFC 9293 3.8.3; None: user timeout alone"
)
R2_MEASURE: Any = policy(
    "count",
    "R2 is reached after so many retransmissions, or once so many would have been sent at the least RTO, doubled "
    "each time: whatever the path's RTT (Linux)",
    "RFC 9293 3.8.3; net/ipv4/tcp_timer.c: retransmits_timed_out",
)
ORPHAN_RETRIES: Any = retries(
    None, "R2 of a connection whose user has gone; None: as retries2", "net.ipv4.tcp_orphan_retries"
)
USER_TIMEOUT: Any = seconds(
    300.0, "text unacknowledged this long: give up; None: R2 alone", "RFC 793 3.8; RFC 5482", least=1e-9
)
WINDOW_UPDATE: Any = policy(
    "segments",
    "a user's reading sends a window update once it opens the window by two segments or half the buffer; or once it "
    "doubles it (Linux)",
    "RFC 9293 3.8.6.2.2; net/ipv4/tcp.c: __tcp_cleanup_rbuf",
)
RACK: Any = policy(
    False,
    "where SACK is agreed on, the oldest segment is lost a quarter of the RTT after one sent later was delivered",
    "RFC 8985 6; net/ipv4/tcp_recovery.c",
)
TAIL_LOSS_PROBE: Any = policy(
    False,
    "where SACK is agreed on, the first retransmission is a tail loss probe: after two round trips, at the RTO at "
    "the latest, and the RTO starts anew behind it",
    "RFC 8985 7; net/ipv4/tcp_output.c: tcp_schedule_loss_probe",
)
KEEPALIVE_RST: Any = policy(
    False, "unanswered keep-alive probes end in a RST", "RFC 9293 3.8.4 is silent; net/ipv4/tcp_timer.c"
)
SYN_RTO_AFTER_WRONG_ACK: Any = policy(
    None,
    "a wrong ACK in SYN-SENT draws a RST, and the first SYN goes out again so soon; None: by its own timer",
    "RFC 9293 figure 9 waits; net/ipv4/tcp_input.c: tcp_rcv_synsent_state_process",
    "s",
    allowed=(0, 1e9),
)
DELAYED_ACK_TIMER: Any = policy(
    "fixed",
    "when ACKs are delayed: all but the first quick_acks, by delayed_ack; or from when this end has answered with "
    "text or the peer has closed, by as long as text comes apart, none yet making it one tick (Linux)",
    "RFC 9293 3.8.6.3; net/ipv4/tcp_input.c: __tcp_ack_snd_check; net/ipv4/tcp_output.c: tcp_send_delayed_ack",
)
DELAYED_ACK: Any = policy(
    0.2,
    "an ACK waits at most this long for text to ride on; None: sent at once",
    "RFC 9293 3.8.6.3: < 0.5 s",
    "s",
    allowed=(0, 0.5),
)
ACK_EVERY_SECOND: Any = policy(
    "full-sized",
    "the second segment without an ACK draws one at once: if two full-sized ones came (2 MSS of text), or whatever "
    "their size",
    "RFC 9293 3.8.6.3, SHLD-19; sys/netinet/tcp_input.c, DELAY_ACK",
)
FIN_ON_EVERY_ACK: Any = policy(
    False,
    "an ACK repeats our FIN while that is not acknowledged",
    "RFC 9293 does not ask for it; sys/netinet/tcp_output.c",
)
QUICK_ACKS: Any = policy(
    0, "text segments acknowledged at once before ACKs are delayed", "net/ipv4/tcp_input.c", allowed=(0, 1 << 31)
)
FIN_ACK: Any = policy(
    "immediate",
    "the ACK of a FIN that leads to CLOSE-WAIT: at once, or delayed like any other, to ride on this end's own FIN",
    "RFC 9293 3.10.7.4, eighth: FIN; 3.8.6.3",
)
KEEPALIVE: Any = policy(False, "keep-alive probes by default", "RFC 9293 3.8.4, MUST-25: off")
KEEPALIVE_IDLE: Any = seconds(
    7200.0, "silence before the first probe", "RFC 9293 3.8.4, MUST-27: at least 2 h", least=1e-9
)
KEEPALIVE_INTERVAL: Any = seconds(75.0, "between probes", "RFC 9293 is silent; 4.4BSD", least=1e-9)
KEEPALIVE_PROBES: Any = retries(9, "unanswered probes before the connection is given up", "RFC 9293 is silent; Linux")
TIME_WAIT: Any = seconds(240.0, "length of TIME-WAIT; 2 MSL", "RFC 9293 3.6.1, MUST-13")
FIN_WAIT_2_TIMEOUT: Any = seconds(None, "FIN-WAIT-2 without a user; None: for ever", "RFC 9293 has none")
FIN_WAIT_2_FLOOR: Any = policy(
    0.0,
    "fin_wait_2_timeout is at least so many RTOs",
    "RFC 9293 is silent; include/net/tcp.h: tcp_fin_time",
    allowed=(0, 100),
)
TIME_WAIT_RESTART: Any = policy(
    "fin",
    "what restarts the 2MSL timer: nothing (its number refuses the repeated FIN), the repeated FIN, or any "
    "unacceptable segment with ACK (Linux)",
    "RFC 9293 3.10.7.4, eighth: FIN; net/ipv4/tcp_minisocks.c",
)
TIME_WAIT_REUSE: Any = policy("none", "a new SYN in TIME-WAIT", "RFC 9293 3.6.1, MAY-2; RFC 6191 2")
TIME_WAIT_RST: Any = policy(
    "accept",
    "RST in TIME-WAIT: accepted, ignored (fix F1), or ignored for the first 2 s (fix F2, to go with timestamps)",
    "RFC 9293 3.10.7.4; RFC 1337 4",
)
TIME_WAIT_ACK: Any = policy(
    "fin",
    "what draws an ACK in TIME-WAIT: beside segments that step one refuses, the repeated FIN, or any but the "
    "expected ACK",
    "RFC 9293 3.10.7.4, fifth: ACK; net/ipv4/tcp_minisocks.c; sys/netinet/tcp_timewait.c",
)
TIME_WAIT_CHECKS: Any = policy(
    "rfc9293", "TIME-WAIT: the usual checks, or FreeBSD's own, which know no window", "sys/netinet/tcp_timewait.c"
)
TIME_WAIT_NO_ACK: Any = policy(
    "process",
    "a segment with neither ACK nor SYN in TIME-WAIT: looked at in the usual order, or dropped at once",
    "RFC 9293 3.10.7.4; sys/netinet/tcp_timewait.c, tcp_twcheck",
)
TIMER_HZ: Any = policy(
    None,
    "ticks a second of the kernel's timer wheel; None: exact timers",
    "kernel/time/timer.c",
    "Hz",
    allowed=(1, 10_000),
)
TIMER_PHASE: Any = policy(None, "where the wheel's clock stands at time 0; None: drawn", "", "s", allowed=(0, 1e6))
