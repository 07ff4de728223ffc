"""What ``netsim run`` and ``netsim trace`` are asked for: a scenario, its parameters, the runs and the seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netsim.cli.errors import checked_input
from netsim.cli.input import natural, read_seed, read_workers
from netsim.scenarios.names import read_toml
from netsim.study.subject import Subject, subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A scenario and its parameters, the number of runs, the root seed, and the number of processes."""

    subject: Subject
    params: Any
    replications: int
    seed: int
    workers: int | None

    @classmethod
    def read(
        cls,
        name: str,
        given: Mapping[str, Any],
        *,
        config: str | None = None,
        replications: str | None = None,
        seed: str | None = None,
        workers: str | None = None,
        changes: Mapping[str, str] | None = None,
    ) -> "Request":
        """From the command line and, if one is named, a file; ``changes`` override both. UsageError for bad input."""
        with checked_input():
            what = subject(name)
            in_file = _read_file(config, what) if config is not None else {}
            params = what.build(in_file, given, changes or {})
        return cls(
            subject=what,
            params=params,
            replications=natural("replications", replications, minimum=1) or what.replications,
            seed=read_seed(seed),
            workers=read_workers(workers),
        )


def _read_file(path: str, what: Subject) -> dict[str, Any]:
    """The parameters in a file, as names and values. ValueError, which names the file."""
    table = read_toml("config", path)
    try:
        given = what.flat(table)
        what.build(given)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return given
