"""The data phase: retransmission, loss recovery, congestion control and acknowledgments."""
