"""What is studied: a scenario of the package or a function of the user, behind one face."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from netsim.scenarios import default_replications, names, own, scenario
from netsim.scenarios.values import plain, read_any, show, with_unit
from netsim.study.axes import Values
from netsim.sweep import Estimator, Rows, Scalar
from netsim.units import did_you_mean

Estimates = Mapping[str, Estimator] | Sequence[str]
Theory = Callable[[Any], Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A scenario, as a study and the command line use it.

    ``title`` is its name, ``identity`` what distinguishes it from others. ``build`` makes the parameters from names and
    values, each source overriding the ones before it; ``flat`` writes the tables of a source with dotted names;
    ``label`` is what a value is called in a table. ``record`` has parameters as plain values, ``defaults`` those of no
    source. ``warnings``: warnings about parameters that do not do what they seem to. ``columns``: what each column
    means.
    """

    title: str
    question: str
    identity: str
    replications: int
    run: Callable[..., Mapping[str, Any]]
    theory: Theory
    estimators: Callable[[Rows], Mapping[str, Estimator]]
    build: Callable[..., Any]
    flat: Callable[[Values], dict[str, Any]]
    label: Callable[[str, Any], Scalar]
    record: Callable[[Any], dict[str, Any]]
    defaults: Mapping[str, Any]
    warnings: Callable[[Any], Sequence[str]]
    options: Mapping[str, names.Option]
    columns: Mapping[str, str]

    def text(self, name: str, value: Any) -> str:
        """A value of a parameter with its unit, for headings and footers: "0.08 s"."""
        option = self.options.get(name)
        return with_unit(show(value), option.unit if option is not None else "")


def subject(
    what: str | own.Function,
    *,
    estimates: Estimates | None = None,
    theory: Theory | None = None,
    name: str | None = None,
) -> Subject:
    """The scenario of this name, the function in a file (``FILE.py:FUNCTION``), or a function. ValueError."""
    if not isinstance(what, str):
        if estimates is not None and not isinstance(estimates, Mapping):
            raise ValueError(f"estimates = {estimates!r}: must be Estimators by name, for a function of your own")
        return _of_function(own.own_scenario(what, name=name, estimates=estimates, theory=theory))
    if own.is_own(what):
        return _of_function(own.load(what))
    for word, value in (("theory", theory), ("name", name)):
        if value is not None:
            raise ValueError(f"{word} = {value!r}: is for a function of your own; {what} has its own")
    return _of_scenario(what.replace("_", "-"), estimates)


def _of_scenario(name: str, estimates: Estimates | None) -> Subject:
    module = scenario(name)
    wanted = _wanted(module.ESTIMATES, estimates)
    params = module.Params
    return Subject(
        title=name,
        question=module.QUESTION,
        identity=name,
        replications=default_replications(module),
        run=module.run,
        theory=module.theory,
        estimators=lambda rows: wanted,
        build=lambda *sources: names.build(params, *sources),
        flat=lambda table: dict(names.flat(params, table)),
        label=lambda name, value: names.label(params, name, value),
        record=names.as_given,
        defaults=names.as_given(params()),
        warnings=getattr(module, "warnings", lambda params: ()),
        options=names.options(params),
        columns=module.COLUMNS,
    )


def _of_function(what: own.OwnScenario) -> Subject:
    return Subject(
        title=what.name,
        question=what.question,
        identity=what.identity,
        replications=default_replications(what.run),
        run=what.run,
        theory=what.theory,
        estimators=what.estimators,
        build=what.build,
        flat=lambda table: dict(names.dotted(table)),
        label=lambda name, value: cast(Scalar, plain(read_any(value))),
        record=lambda params: {name: plain(value) for name, value in params.items()},
        defaults={},
        warnings=lambda params: (),
        options={},
        columns={},
    )


def _wanted(known: Mapping[str, Estimator], estimates: Estimates | None) -> Mapping[str, Estimator]:
    """The estimates of a scenario that are asked for, or all; or Estimators of the user's own."""
    if estimates is None:
        return known
    if isinstance(estimates, Mapping):
        return estimates
    chosen = [estimates] if isinstance(estimates, str) else estimates
    for name in chosen:
        if name not in known:
            raise ValueError(f"estimate = {name!r}: must be one of {', '.join(known)}{did_you_mean(name, known)}")
    return {name: known[name] for name in chosen}
