"""RFC 1185's four cells: what theory calls safe, no run contradicts; what it calls unsafe, runs show."""

import math

import pytest

from netsim.scenarios import reincarnation
from netsim.scenarios.reincarnation import AgedIsn, Isn, Params
from netsim.seeds import Seed
from netsim.studies.reincarnation import ISNS, cell_params
from netsim.sweep import Rows, sweep
from netsim.tcp.config.isn import ClockIsn, ConstantIsn
from netsim.theory import IncarnationCell

F1, F2, F3, F4 = IncarnationCell
SAFE = {(F1, "clock"), (F1, "rfc6528")}


def rows_of(params: Params, n: int) -> Rows:
    rows = sweep(reincarnation.run, [params], replications=n, seed=6, workers=1)
    assert not len(rows.failed())
    return rows


@pytest.mark.parametrize("isn", ISNS)
@pytest.mark.parametrize("cell", IncarnationCell)
def test_theory_and_run_agree_on_the_cell(cell: IncarnationCell, isn: Isn) -> None:
    params = cell_params(cell, isn)
    assert params.cell is cell
    rows = rows_of(params, 15)
    accepted = sum(map(bool, rows.column("stale_data_accepted")))
    expected = math.fsum(map(float, rows.array("p_stale_data_expected")))
    if isn == "random":
        assert reincarnation.unsafe(params) is None
        assert 0 < expected / 15 < 2e-5  # W of 2^32, and half of all ACKs
        assert accepted == 0
    elif (cell, isn) in SAFE:
        assert reincarnation.unsafe(params) is False
        assert reincarnation.theory(params)["p_wrong_bytes"] == 0
        assert accepted == expected == 0
    else:
        assert reincarnation.unsafe(params) is True
        assert reincarnation.theory(params) == {}
        assert accepted > 0
        assert expected / 15 > 0.2


def test_counts_agree_with_the_expectation_over_all_cells() -> None:
    """Two-sided alpha 1e-4 for their sum; each run's probability is known, so a binomial bounds the variance."""
    counted, chances = 0, []
    for cell in (F2, F3, F4):
        rows = rows_of(cell_params(cell, "clock"), 25)
        counted += sum(map(bool, rows.column("stale_data_accepted")))
        chances += list(map(float, rows.array("p_stale_data_expected")))
    assert abs(counted - math.fsum(chances)) < 3.89 * math.sqrt(math.fsum(p * (1 - p) for p in chances))


@pytest.mark.parametrize("cell", IncarnationCell)
def test_time_wait_suffices_in_every_cell(cell: IncarnationCell) -> None:
    params = cell_params(cell, "constant", time_wait=2.5)  # with the pause of 0.5 s all that is old is dead
    assert reincarnation.theory(params)["p_stale_data_accepted"] == 0
    assert not any(rows_of(params, 10).column("stale_data_accepted"))


def test_the_first_number_carries_what_went_before() -> None:
    """100 s at 50 bytes a second before a clock of 10 Hz read 7: it began at reading -993, and is 5,000 further."""
    aged = AgedIsn(ClockIsn(10.0), 100 * 10**9, 5000)
    numbers = {"flow": None, "source": None}
    assert aged.initial(now=700_000_000, opened=0, **numbers) == 2**32 - 993 + 5000 - 2**32  # type: ignore[arg-type]
    assert aged.initial(now=700_000_000, opened=1, **numbers) == 7  # type: ignore[arg-type]
    assert AgedIsn(ConstantIsn(3), 5, 2**32 - 1).initial(now=0, opened=0, **numbers) == 2  # type: ignore[arg-type]


def test_the_data_that_is_left_out_has_expired() -> None:
    """A slow connection, sent in full and cut down to what is alive: the same probability, run by run."""
    whole = Params(data_rate=5000.0, duration=3.0, isn="constant")
    assert whole.tail.data_bytes == 15_000
    cut = Params(data_rate=5000.0, duration=8.0, isn="constant")
    assert cut.tail.data_bytes == 5000 * 3 + 2000
    longer = (
        TURN := 2**32
    ) / 5000.0  # in which a constant ISN comes round: the numbers of the tail are those of `whole`
    again = Params(data_rate=5000.0, duration=3.0 + longer, isn="constant")
    assert again.tail.client.isn.sent == (15_000 + TURN - 17_000) % TURN  # type: ignore[attr-defined]
    assert reincarnation.unsafe(whole) is reincarnation.unsafe(again) is True
    assert (
        reincarnation.unsafe(Params(data_rate=5000.0, duration=100.0, isn="constant")) is False
    )  # 500,000: far beyond
    assert not reincarnation.run(Params(data_rate=5000.0, duration=100.0, isn="constant"), Seed(1))[
        "stale_data_accepted"
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"isn": "guess"}, "isn = 'guess'"),
        ({"data_rate": 0}, "data_rate"),
        ({"duration": 0}, "durat"),
        ({"receive_window": 0}, "receive_window"),
    ],
)
def test_bad_parameters_of_reincarnation_are_named(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Params(**changes)  # type: ignore[arg-type]
