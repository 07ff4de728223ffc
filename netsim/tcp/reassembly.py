"""Text that arrived out of order, kept until the gap before it is filled (RFC 9293 3.10.7.4, seventh)."""

from netsim.tcp.seq import HALF, MASK


class Reassembly:
    """Non-overlapping blocks of text, in sequence order from ``rcv_nxt`` on.

    Where blocks overlap, what arrived first is kept; text in order wins over both (the RFC leaves it open).
    """

    __slots__ = ("blocks",)

    def __init__(self) -> None:
        self.blocks: list[tuple[int, bytes]] = []

    def __len__(self) -> int:
        """Bytes held."""
        return sum(len(text) for _, text in self.blocks)

    def insert(self, seq: int, text: bytes, rcv_nxt: int) -> None:
        """Keep ``text`` (which starts at ``seq``, not before ``rcv_nxt``), less what is held already."""
        start = (seq - rcv_nxt) & MASK
        end = start + len(text)
        merged: list[tuple[int, bytes]] = []
        for block_seq, block in self.blocks:
            left = (block_seq - rcv_nxt) & MASK
            right = left + len(block)
            if start < left and start < end:
                stop = min(end, left)
                merged.append(((rcv_nxt + start) & MASK, text[: stop - start]))
                text, start = text[stop - start :], stop
            merged.append((block_seq, block))
            if start < right:
                text = text[right - start :] if end > right else b""
                start = min(right, end)
        if start < end:
            merged.append(((rcv_nxt + start) & MASK, text))
        self.blocks = merged

    def take(self, rcv_nxt: int) -> bytes:
        """Remove and return the text that now continues at ``rcv_nxt``; empty if there is a gap."""
        taken = bytearray()
        while self.blocks:
            seq, text = self.blocks[0]
            behind = (rcv_nxt + len(taken) - seq) & MASK
            if behind >= HALF:
                break
            del self.blocks[0]
            taken += text[behind:]
        return bytes(taken)
