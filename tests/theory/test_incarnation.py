"""RFC 1185's four cells: which incarnations a clock-driven ISN keeps apart, against bytes sent one by one."""

import itertools

import pytest

from netsim.theory import IncarnationCell, clock_isn_hazard, incarnation_cell, old_bytes_acceptable

F1, F2, F3, F4 = IncarnationCell
CLOCK = 4  # counts per second
SPACE = 64  # a turn of the clock takes 16 s


def send_and_reopen(rate: int, duration: int, pause: int, lifetime: int, window: int) -> bool:
    """Send byte after byte; reopen with the clock's reading; look for a living byte in the new window."""
    now = duration + pause
    alive = {j % SPACE for j in range(rate * duration) if j + rate * lifetime > rate * now}
    return any((CLOCK * now + k) % SPACE in alive for k in range(window))


def test_every_small_connection() -> None:
    seen: set[tuple[IncarnationCell, bool]] = set()
    for rate, duration, pause in itertools.product(
        [0, 1, 2, 3, 4, 5, 7, 9], [1, 4, 9, 15, 16, 17, 30, 65], [0, 1, 2, 3]
    ):
        cell = incarnation_cell(rate=rate, duration=duration, clock_rate=CLOCK, modulus=SPACE)
        for lifetime, window in itertools.product([0, 1, 3], [0, 1, 4]):
            expected = send_and_reopen(rate, duration, pause, lifetime, window)
            found = old_bytes_acceptable(
                rate=rate,
                duration=duration,
                clock_rate=CLOCK,
                pause=pause,
                lifetime=lifetime,
                window=window,
                modulus=SPACE,
            )
            assert found == expected, (rate, duration, pause, lifetime, window)
            if pause >= lifetime:
                assert not found  # TIME-WAIT suffices in every cell
            if CLOCK * (duration + lifetime) + window <= SPACE:  # the margin before the clock's full turn
                assert not (found and cell.clock_suffices)
                seen.add((cell, found))
            elif not cell.clock_suffices:
                seen.add((cell, found))
    assert {cell for cell, found in seen if found} == {F2, F3, F4}
    assert (F1, False) in seen


@pytest.mark.parametrize(
    ("rate", "duration", "cell"),
    [
        (249_999.0, 17_179.0, F1),
        (249_999.0, 17_179.869184, F2),  # 2^32 x 4 us: the clock's turn
        (250_000.0, 17_179.0, F3),
        (250_000.0, 17_179.869184, F4),
        (125e6, 34.0, F3),  # 1 Gbit/s: 2^32 bytes take 34.36 s
        (125e6, 34.4, F4),
        (0.0, 0.0, F1),
    ],
)
def test_cells_of_the_rfc_clock(rate: float, duration: float, cell: IncarnationCell) -> None:
    assert incarnation_cell(rate=rate, duration=duration, clock_rate=250_000) is cell


def test_only_slow_and_short_is_safe() -> None:
    assert [cell.clock_suffices for cell in (F1, F2, F3, F4)] == [True, False, False, False]


def test_agrees_with_the_hazard_of_stale_segments() -> None:
    """With every byte alive the two conditions are one: X > r D."""
    for rate in (200_000, 249_999, 250_000, 250_001, 400_000):
        alive = {"rate": rate, "duration": 4.0, "clock_rate": 250_000, "pause": 0.5, "lifetime": 100.0, "window": 1000}
        hazard = clock_isn_hazard(rate=250_000, pause=4.5, sent=rate * 4, length=1, window=1000)
        assert old_bytes_acceptable(**alive) == hazard
    assert hazard


REOPENED = {"rate": 1, "duration": 1, "clock_rate": 1, "pause": 0, "lifetime": 1, "window": 1}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: incarnation_cell(rate=-1, duration=1, clock_rate=1), "rate must be .*got -1"),
        (lambda: incarnation_cell(rate=1, duration=1, clock_rate=0), "clock_rate must be .*> 0, got 0"),
        (lambda: old_bytes_acceptable(**REOPENED | {"lifetime": -1}), "lifetime must be .*got -1"),
        (lambda: old_bytes_acceptable(**REOPENED | {"window": 9}, modulus=8), r"window must be .*\[0, 8\], got 9"),
    ],
)
def test_bad_input_is_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
