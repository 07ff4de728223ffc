"""Blind injection: RFC tables, numbers worked by hand, and every position of a small sequence space."""

import itertools
import math
import random
from statistics import NormalDist

import pytest

from netsim.theory import (
    BlindAttack,
    attack_duration,
    bandwidth_delay_window,
    blind_data,
    blind_reset,
    blind_syn,
)

SMALL = 24


def sweep_lengths(attack: BlindAttack) -> list[int]:
    """Segments until the sweep succeeds, for every port and every position of the attacked end's two windows."""

    def passes(guess: int, first: int, right: int) -> bool:
        return (guess - first) % attack.modulus < right

    guesses = list(
        itertools.product(
            range(attack.ports), range(0, attack.modulus, attack.sequences), range(0, attack.modulus, attack.acks)
        )
    )
    positions = itertools.product(range(attack.ports), range(attack.modulus), range(attack.modulus))
    return [
        next(
            tried
            for tried, (at, seq, ack) in enumerate(guesses, 1)
            if at == port and passes(seq, first, attack.sequences) and passes(ack, first_ack, attack.acks)
        )
        for port, first, first_ack in positions
    ]


@pytest.mark.parametrize("ports", [1, 3])
@pytest.mark.parametrize(
    ("sequences", "acks"), [(1, 24), (5, 24), (7, 13), (8, 12), (24, 5), (5, 9), (23, 23), (11, 11)]
)
def test_every_position(sequences: int, acks: int, ports: int) -> None:
    attack = BlindAttack(sequences=sequences, acks=acks, ports=ports, modulus=SMALL)
    lengths = sweep_lengths(attack)
    assert attack.worst == max(lengths)
    assert attack.mean == pytest.approx(sum(lengths) / len(lengths))
    for segments in range(max(lengths) + 3):
        share = sum(length <= segments for length in lengths) / len(lengths)
        assert attack.p_within(segments) == pytest.approx(share)
    assert attack.memoryless_mean == pytest.approx(ports * SMALL / sequences * SMALL / acks)


def test_memoryless_guesses_played() -> None:
    """2,000 attacks with fresh guesses each time; geometric, so the deviation of the mean is known. alpha = .001."""
    attack = BlindAttack(sequences=5, acks=13, ports=2, modulus=SMALL)
    rng = random.Random(81)
    runs = 2000
    counts = []
    for _ in range(runs):
        tried = 1
        while not (rng.randrange(SMALL) < 5 and rng.randrange(SMALL) < 13 and rng.randrange(2) == 0):
            tried += 1
        counts.append(tried)
    p = 1 / attack.memoryless_mean
    limit = NormalDist().inv_cdf(1 - 0.001 / 4)
    assert abs(sum(counts) / runs - 1 / p) <= limit * math.sqrt((1 - p) / p**2 / runs)
    within = attack.p_within_memoryless(10)
    hits = sum(count <= 10 for count in counts)
    assert abs(hits - runs * within) <= limit * math.sqrt(runs * within * (1 - within))


@pytest.mark.parametrize(
    ("window", "worst"), [(65_535, 65_538), (65_536, 65_536), (32_768, 131_072), (16_384, 262_144), (5840, 735_440)]
)
def test_rfc793_counts(window: int, worst: int) -> None:
    """ceil(2^32 / W); 65535 x 65537 = 2^32 - 1, so that one number is left over."""
    for attack in (blind_reset(window=window, rules="rfc793"), blind_syn(window=window, rules="rfc793")):
        assert attack.worst == worst
        assert attack.mean == pytest.approx((worst + 1) / 2, rel=2e-5)
        assert attack.mean == pytest.approx(2**31 / window, rel=2e-5)
        assert attack.memoryless_mean == 2**32 / window


def test_rfc5961_mean_counts_of_the_text() -> None:
    """RFC 5961 1.2: 2^31 / W, 65,536 for a window of 32,768 and 32,768 for 65,535."""
    assert blind_reset(window=32_768, rules="rfc793").mean == pytest.approx(65_536, abs=1)
    assert blind_reset(window=65_535, rules="rfc793").mean == pytest.approx(32_768, abs=2)


def test_rfc5961_reset_and_syn() -> None:
    for window in (0, 1000, 65_535, 2**30):
        exact = blind_reset(window=window, rules="rfc5961")
        assert exact.worst == 2**32
        assert exact.mean == 2**31 + 0.5
        never = blind_syn(window=window, rules="rfc5961")
        assert never.worst == never.mean == never.memoryless_mean == math.inf
        assert never.p_within(10**12) == never.p_within_memoryless(10**12) == 0.0


def test_data() -> None:
    """RFC 793: two acknowledgment numbers, one of which is right: twice the segments, 2^32 / W on average."""
    old = blind_data(window=32_768, rules="rfc793")
    assert old.acks == 2**31 + 1
    assert old.worst == 2 * 131_072
    assert old.mean == pytest.approx(2**32 / 32_768, abs=1)
    assert old.memoryless_mean == pytest.approx(2 * 131_072)
    new = blind_data(window=32_768, rules="rfc5961", max_snd_wnd=65_535, in_flight=0)
    assert new.worst == 131_072 * 65_536
    assert new.memoryless_mean == 131_072 * 65_536
    busy = blind_data(window=32_768, rules="rfc5961", max_snd_wnd=65_535, in_flight=65_536)
    assert busy.worst == 131_072 * 32_768
    longer = blind_data(window=32_768, rules="rfc793", length=1001)  # W + L - 1 numbers are acceptable
    assert longer.sequences == 33_768


def test_zero_window() -> None:
    """RFC 9293 3.10.7.4: with no window, RCV.NXT alone is acceptable, and no segment that takes a number."""
    assert blind_reset(window=0, rules="rfc793").worst == 2**32
    assert blind_syn(window=0, rules="rfc793").worst == math.inf
    assert blind_data(window=0, rules="rfc793").mean == math.inf


@pytest.mark.parametrize("ports", [16_384, 28_232])
def test_unknown_port(ports: int) -> None:
    """16,384 ports as the IANA has it, 28,232 of Linux."""
    known, unknown = (blind_reset(window=65_535, rules="rfc793", ports=n) for n in (1, ports))
    assert unknown.worst == ports * known.worst
    assert unknown.memoryless_mean == pytest.approx(ports * known.memoryless_mean)
    assert unknown.mean == pytest.approx(ports * known.worst / 2, rel=1e-4)


def test_within() -> None:
    attack = blind_reset(window=2**30, rules="rfc793")
    assert [attack.p_within(n) for n in range(6)] == [0, 0.25, 0.5, 0.75, 1, 1]
    assert [attack.p_within_memoryless(n) for n in range(3)] == pytest.approx([0, 0.25, 0.4375])
    certain = BlindAttack(sequences=2**32)
    assert (certain.p_within_memoryless(0), certain.p_within_memoryless(1)) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("bandwidth", "segments", "seconds"),
    [
        (10e9, 35, 1.1e-6),
        (1e9, 344, 110e-6),
        (100e6, 3436, 11e-3),
        (10e6, 34_360, 1.1),
        (1e6, 343_598, 110.0),
        (100e3, 3_435_974, 3.05 * 3600),
    ],
)
def test_rfc4953_figure_1(bandwidth: float, segments: int, seconds: float) -> None:
    """A window that fills 100 ms of the path; 40-byte RSTs at the full bandwidth."""
    window = bandwidth_delay_window(bandwidth=bandwidth, rtt=0.1)
    attack = blind_reset(window=window, rules="rfc793")
    assert attack.worst == segments
    assert attack_duration(segments=attack.worst, bandwidth=bandwidth) == pytest.approx(seconds, rel=0.02)


@pytest.mark.parametrize(("window", "segments"), [(128_000, 33_555), (32_000, 134_218), (4000, 1_073_742)])
def test_rfc4953_figure_2(window: int, segments: int) -> None:
    """The column of RSTs needed; its times do not follow from the formula of figure 1."""
    assert blind_reset(window=window, rules="rfc793").worst == segments


def test_duration() -> None:
    assert attack_duration(segments=1000, bandwidth=1e6, segment_bytes=125) == 1.0
    assert attack_duration(segments=math.inf, bandwidth=1e6) == math.inf


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: BlindAttack(sequences=-1), "sequences must be .*got -1"),
        (lambda: BlindAttack(sequences=9, modulus=8), r"sequences must be .*\[0, 8\], got 9"),
        (lambda: BlindAttack(sequences=1, acks=2**32 + 1), "acks must be .*got 4294967297"),
        (lambda: BlindAttack(sequences=1, ports=0), r"ports must be .*\[1, 65536\], got 0"),
        (lambda: BlindAttack(sequences=1).p_within(-1), "segments must be .*got -1"),
        (lambda: BlindAttack(sequences=1).p_within_memoryless(1.5), r"segments must be .*got 1\.5"),
        (lambda: blind_reset(window=-1, rules="rfc5961"), "window must be .*got -1"),
        (lambda: blind_reset(window=1, rules="rfc1"), "rules must be one of rfc793, rfc5961, got 'rfc1'"),
        (lambda: blind_syn(window=2**32, rules="rfc793"), r"length \+ window must be"),
        (lambda: blind_data(window=10, rules="rfc793", length=12), r"length must be .*\[1, 11\], got 12"),
        (lambda: blind_data(window=10, rules="rfc5961", max_snd_wnd=-1), "max_snd_wnd must be .*got -1"),
        (lambda: bandwidth_delay_window(bandwidth=0, rtt=1), "bandwidth must be .*> 0, got 0"),
        (lambda: attack_duration(segments=-1, bandwidth=1), "segments must be .*got -1"),
        (lambda: attack_duration(segments=1, bandwidth=1, segment_bytes=0), "segment_bytes must be .*got 0"),
    ],
)
def test_bad_input_is_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
