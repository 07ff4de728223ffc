"""What the policies of opening a connection mean: SYNs and SYN-ACKs, Fast Open, local ports."""

from typing import Any

from netsim.tcp.config.backoff import BackOff
from netsim.tcp.config.isn import HashIsn
from netsim.tcp.config.policy import policy, retries, seconds
from netsim.tcp.config.ports import Ports

SYN_BACKOFF: Any = policy(BackOff(), "waits after each SYN", "RFC 6298 2.1, 5.5", "s")
SYN_RETRIES: Any = retries(7, "SYN retransmissions (linear ones not counted)", "RFC 9293 3.8.3, MUST-23: R2 >= 180 s")
SYNACK_BACKOFF: Any = policy(BackOff(), "waits after each SYN-ACK", "RFC 6298 2.1, 5.5", "s")
SYNACK_RETRIES: Any = retries(7, "SYN-ACK retransmissions by timer", "RFC 9293 3.8.3, MUST-23: R2 >= 180 s")
CONNECT_TIMEOUT: Any = seconds(None, "user timeout of an active OPEN", "RFC 9293 3.10.1: optional", least=1e-9)
ISN: Any = policy(HashIsn(), "choice of the initial sequence number", "RFC 9293 3.4.1; RFC 6528 3")
CROSSED_SYNACK: Any = policy(
    "accept",
    "a SYN-ACK that crosses ours in SYN-RECEIVED: taken (figure 7), refused by its number (literal 3.10.7.4), "
    "or taken and acknowledged (linux)",
    "RFC 9293 figure 7 and appendix A.2; net/ipv4/tcp_input.c",
)
HANDSHAKE: Any = policy(
    "three-way",
    "a passive OPEN is ESTABLISHED on the SYN (two-way), on the ACK of its own SYN, or so with SYN and ACK apart "
    "(four-way)",
    "RFC 9293 3.5; Attiya and Rappoport 1997",
)
SYN_DROP_OPTIONS_AFTER: Any = retries(
    None,
    "SYN retransmissions after which only the MSS is left of its options; None: never",
    "RFC 9293 is silent; net.inet.tcp.rexmit_drop_options",
)
ECN: Any = policy("off", "ECN: not at all, where the peer asks for it, or asked for on the SYN", "RFC 3168 6.1.1")
ECN_SYN_RETRIES: Any = retries(
    0, "SYN retransmissions that still ask for ECN", "RFC 3168 6.1.1.1; net.inet.tcp.ecn.maxretries"
)
DUPLICATE_SYN: Any = policy(
    "ack",
    "a repeated SYN in SYN-RECEIVED draws: a bare ACK (literal text), a SYN-ACK (BSD), or a SYN-ACK and a "
    "restarted SYN-ACK timer (Linux)",
    "RFC 9293 3.10.7.4; sys/netinet/tcp_syncache.c; net/ipv4/tcp_minisocks.c",
)
SYN_DATA: Any = policy(
    "queue",
    "text on a SYN: held until ESTABLISHED, or so by an active OPEN alone; dropped; taken at once",
    "RFC 9293 3.10.7.2; sys/netinet/tcp_syncache.c",
)
FAST_OPEN: Any = policy("off", "Fast Open: which roles this host plays", "RFC 7413 4.2: off by default")
FAST_OPEN_COOKIE: Any = policy(
    8, "size of the server's cookie: 4 to 16, even", "RFC 7413 4.1.1; include/net/tcp.h", "bytes", allowed=(4, 16)
)
FAST_OPEN_QUEUE: Any = policy(
    16,
    "connections of one listener that Fast Open keeps in SYN-RECEIVED, at most; 0: always the usual handshake",
    "RFC 7413 5.1: PendingFastOpenRequests; the number is a choice",
    allowed=(0, 1 << 31),
)
FAST_OPEN_SYNACK_WAIT: Any = seconds(
    None,
    "how long a SYN-ACK that acknowledges text waits for text to carry; None: it is sent at once",
    "RFC 7413 4.2.2: MAY carry text; net/ipv4/tcp_fastopen.c sends at once",
)
FAST_OPEN_WITHOUT_COOKIE: Any = policy(
    False, "a client's SYN carries text even without a cookie", "RFC 9293 3.4; net.ipv4.tcp_fastopen, bit 4"
)
FAST_OPEN_EXPERIMENTAL: Any = policy(
    False,
    "a server also knows the cookie in the format of experiments",
    "RFC 6994; net/ipv4/tcp_input.c: tcp_parse_fastopen_option",
)
FAST_OPEN_COOKIE_OPTIONAL: Any = policy(
    False,
    "a server takes text on a SYN also without a cookie",
    "RFC 7413 4.2.2 asks for one; net.ipv4.tcp_fastopen, bit 0x200",
)
SYN_FIN: Any = policy("accept", "a SYN that carries FIN, in LISTEN", "RFC 9293 3.10.7.2")
PORTS: Any = policy(
    Ports(), "choice of the local port of an active OPEN", "RFC 9293 is silent; RFC 6056 has better ones"
)
TIME_WAIT_OPEN: Any = policy(
    "refuse",
    "an active OPEN of a four-tuple that this end holds in TIME-WAIT: refused, or allowed; or with timestamps and "
    "after a second allowed, from an ISS beyond the old numbers (linux)",
    "RFC 9293 3.10.1: already exists; net.ipv4.tcp_tw_reuse = 1",
)
