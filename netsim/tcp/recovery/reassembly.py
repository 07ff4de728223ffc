"""Data that arrived out of order, kept until the gap before it is filled (RFC 9293 3.10.7.4, seventh)."""

from dataclasses import dataclass

from netsim.tcp.segment import HALF, MASK

Range = tuple[int, int]  # the first sequence number, and the first one beyond


@dataclass(slots=True)
class Block:
    """Contiguous data from ``seq`` on. ``stamp`` orders the blocks by when a segment last changed them."""

    seq: int
    data: bytearray
    stamp: int


class Reassembly:
    """Blocks of data with gaps between them, in sequence order from ``rcv_nxt`` on.

    Where blocks and a new segment overlap, the bytes that arrived first are kept; bytes that arrive in order replace
    both (the RFC leaves the choice open). ``duplicate`` is a range that was received twice and that the next ACK
    reports (RFC 2883).
    """

    __slots__ = ("_arrivals", "blocks", "duplicate")

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.duplicate: Range | None = None
        self._arrivals = 0

    def __len__(self) -> int:
        """The number of bytes held."""
        return sum(len(block.data) for block in self.blocks)

    def insert(self, seq: int, data: bytes, rcv_nxt: int) -> Range | None:
        """Add ``data``, which starts at ``seq`` and not before ``rcv_nxt``; bytes that are held already stay.

        Returns the first range of it that was held already, or None.
        """
        self._arrivals += 1
        blocks = self.blocks
        if blocks and seq == (blocks[-1].seq + len(blocks[-1].data)) & MASK:
            blocks[-1].data += data  # most segments behind a gap continue the last block
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
        """The first range that is held of the ``length`` bytes from ``seq`` on; ``seq`` lies before all blocks."""
        if not self.blocks:
            return None
        block = self.blocks[0]
        ahead = (block.seq - seq) & MASK
        if ahead >= length:
            return None
        return block.seq, (block.seq + min(length - ahead, len(block.data))) & MASK

    def take(self, rcv_nxt: int) -> bytes:
        """Remove and return the data that continues at ``rcv_nxt``; empty if there is a gap before it."""
        taken = bytearray()
        while self.blocks:
            block = self.blocks[0]
            behind = (rcv_nxt + len(taken) - block.seq) & MASK
            if behind >= HALF:
                break
            del self.blocks[0]
            taken += block.data[behind:]
        return bytes(taken)
