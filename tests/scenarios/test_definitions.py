"""Every column and every estimate of every scenario has a definition: one sentence, with a unit where there is one."""

import dataclasses

import pytest

from netsim.scenarios import NAMES, scenario, syn_flood
from netsim.scenarios.definitions import definition
from netsim.seeds import Seed
from netsim.sweep import Estimator

SHORT = {"syn-flood": syn_flood.Params(attack_rate=0.0, warm_up=0.0, observation_time=5.0)}
MEASURES = ("latency", "duration", "seconds_", "_after", "bind_wait", "_memory_", "_time", "time_to", "_rate")
UNITS = ("(s)", "(bytes)", "(1/s)")


@pytest.mark.parametrize("name", NAMES)
def test_the_columns_of_a_run_are_those_that_are_defined(name: str) -> None:
    module = scenario(name)
    row = module.run(SHORT.get(name, module.Params()), Seed(1))
    assert set(row) == set(module.COLUMNS)


@pytest.mark.parametrize("name", NAMES)
def test_a_definition_is_one_sentence_with_its_unit(name: str) -> None:
    module = scenario(name)
    sentences = dict(module.COLUMNS) | {
        estimate: definition(how, module.COLUMNS) for estimate, how in module.ESTIMATES.items()
    }
    for column, sentence in sentences.items():
        assert sentence[0].isupper() or sentence[0] == "0", column
        assert sentence.endswith("."), column
        assert ". " not in sentence, column
    for column, sentence in module.COLUMNS.items():
        if any(word in column for word in MEASURES) and not column.startswith(
            ("dropped_", "time_wait_at", "client_time", "server_time")
        ):
            assert any(unit in sentence for unit in UNITS) or sentence.startswith("Whether"), column


@pytest.mark.parametrize("name", NAMES)
def test_proportions_are_of_yes_or_no_or_name_their_value(name: str) -> None:
    module = scenario(name)
    for estimate, how in module.ESTIMATES.items():
        if how.kind == "proportion":
            assert module.COLUMNS[how.column].startswith("Whether") or how.equals is not None, estimate


def test_the_definition_of_every_kind() -> None:
    columns = {"late": "Whether it was late.", "end": "How it ended: well or badly.", "time": "Time (s) it took."}
    assert definition(Estimator(column="late", kind="proportion"), columns) == (
        "Proportion of runs in which it was late."
    )
    by_value = Estimator(column="end", kind="proportion", equals="well")
    assert definition(by_value, columns) == "Proportion of runs in which end is well."
    assert definition(Estimator(column="time", kind="mean"), columns) == (
        "Mean over the runs in which it is finite: time (s) it took."
    )
    assert definition(Estimator(column="time", kind="quantile", at=0.95), columns) == (
        "0.95 quantile, NaN counting as infinite: time (s) it took."
    )
    assert definition(Estimator(column="time", kind="restricted_mean", at=60.0), columns) == (
        "Mean, NaN and larger values counting as 60 s: time (s) it took."
    )
    assert definition(Estimator(column="time", kind="world_mean"), columns) == (
        "Mean over the runs, each a world of many connections: time (s) it took."
    )


@pytest.mark.parametrize("name", NAMES)
def test_estimates_that_share_a_column_are_told_apart(name: str) -> None:
    module = scenario(name)
    sentences = [definition(how, module.COLUMNS) for how in module.ESTIMATES.values()]
    assert len(set(sentences)) == len(sentences)
    assert dataclasses.is_dataclass(module.Params)
