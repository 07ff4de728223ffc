"""Text that arrived out of order, kept until the gap before it is filled (RFC 9293 3.10.7.4, seventh)."""

from dataclasses import dataclass

from netsim.tcp.seq import HALF, MASK

Range = tuple[int, int]  # the first number of it, and the first beyond it


@dataclass(slots=True)
class Block:
    """Contiguous data from ``seq`` on. ``stamp`` grows with each arrival: the greatest is the block changed last."""

    seq: int
    data: bytearray
    stamp: int


class Reassembly:
    """Blocks of data with gaps between them, in sequence order from ``rcv_nxt`` on.

    Where pieces overlap, what arrived first is kept; data in order wins over both (the RFC leaves it open).
    ``duplicate`` is data that came twice and is still to be reported (RFC 2883).
    """

    __slots__ = ("_arrivals", "blocks", "duplicate")

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.duplicate: Range | None = None
        self._arrivals = 0

    def __len__(self) -> int:
        """Bytes held."""
        return sum(len(block.data) for block in self.blocks)

    def insert(self, seq: int, data: bytes, rcv_nxt: int) -> Range | None:
        """Keep ``data`` (which starts at ``seq``, not before ``rcv_nxt``), less what is held already.

        Returns the first part of it that was held already, or None.
        """
        self._arrivals += 1
        blocks = self.blocks
        if blocks and seq == (blocks[-1].seq + len(blocks[-1].data)) & MASK:
            blocks[-1].data += data  # most segments behind a gap continue what is there
            blocks[-1].stamp = self._arrivals
            return None
        start = (seq - rcv_nxt) & MASK
        end = start + len(data)
        first = 0
        while first < len(blocks) and (blocks[first].seq - rcv_nxt & MASK) + len(blocks[first].data) < start:
            first += 1
        last = first
        while last < len(blocks) and (blocks[last].seq - rcv_nxt) & MASK <= end:
            last += 1
        duplicate = None
        merged, position = bytearray(), start
        for block in blocks[first:last]:
            left = (block.seq - rcv_nxt) & MASK
            right = left + len(block.data)
            if duplicate is None and left < end and start < right:
                duplicate = (rcv_nxt + max(start, left)) & MASK, (rcv_nxt + min(end, right)) & MASK
            merged += data[position - start : left - start] if left > position else b""
            merged += block.data
            position = right
        merged += data[position - start :] if end > position else b""
        left = min(start, (blocks[first].seq - rcv_nxt) & MASK) if last > first else start
        blocks[first:last] = [Block((rcv_nxt + left) & MASK, merged, self._arrivals)]
        return duplicate

    def overlap(self, seq: int, length: int) -> Range | None:
        """The first part that is held of the ``length`` bytes from ``seq`` on, which lies before all blocks."""
        if not self.blocks:
            return None
        block = self.blocks[0]
        ahead = (block.seq - seq) & MASK
        if ahead >= length:
            return None
        return block.seq, (block.seq + min(length - ahead, len(block.data))) & MASK

    def take(self, rcv_nxt: int) -> bytes:
        """Remove and return the data that now continues at ``rcv_nxt``; empty if there is a gap."""
        taken = bytearray()
        while self.blocks:
            block = self.blocks[0]
            behind = (rcv_nxt + len(taken) - block.seq) & MASK
            if behind >= HALF:
                break
            del self.blocks[0]
            taken += block.data[behind:]
        return bytes(taken)
