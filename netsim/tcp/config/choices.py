"""The names of the policies that ``TcpConfig`` chooses between; what each means stands at its field."""

from typing import Literal

RstPolicy = Literal["rfc5961", "rfc793"]
SynPolicy = Literal["rfc5961", "rfc793"]
SynReset = Literal["answer", "abort"]
AckPolicy = Literal["rfc5961", "rfc793"]
ResetErrors = Literal["rfc9293", "refused-or-reset", "reset-or-broken-pipe"]
CrossedSynAck = Literal["accept", "refuse", "accept-and-ack"]
EcnPolicy = Literal["off", "accept", "request"]
IcmpOpening = Literal["hard", "hard-or-repeated", "any", "ignore"]
Handshake = Literal["two-way", "three-way", "four-way"]
DuplicateSyn = Literal["ack", "synack", "synack-rearm"]
TimeWaitRestart = Literal["never", "fin", "any"]
TimeWaitReuse = Literal["none", "rfc1122", "rfc6191", "sequence", "sequence-or-timestamp"]
SynData = Literal["queue", "queue-active-open", "drop", "accept"]
FastOpen = Literal["off", "client", "server", "both"]
WindowEdge = Literal["rfc9293", "inclusive"]
ReceiveWindow = Literal["offered", "buffer"]
Congestion = Literal["newreno", "cubic", "none"]
IdleRestart = Literal["none", "rfc5681", "halved"]
