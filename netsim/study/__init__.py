"""Studies for a script or a notebook: a scenario at many points, as one table and one figure.

    study = netsim.Study("setup", loss=[0.05, 0.1, 0.2], rtt="80ms", axes={"client.syn_retries": [0, 1, 3]})
    table = study.run(replications=2000, seed=1)
    table.plot("p_fail", x="loss", by="client.syn_retries").save("own")

Theory of operation
-------------------

A ``Study`` (study.py) joins a scenario with points. Its names are those of ``netsim.scenarios.names``: a list is an
axis, the points are the product of all axes, and ``zip`` varies several names together (axes.py). All points are built
and checked when the study is made, so a wrong name or value is one ValueError before anything runs.

``Study.run`` hands the points to ``netsim.sweep`` and estimates what the scenario estimates, point by point. The
result, a ``Table`` (table.py), is tidy: a row per point and estimate, with its 95 % interval and the exact value where
the scenario's theory has one; ``table.runs`` has the single runs.

``Table.plot`` (plot.py) draws with the functions of ``netsim.figures`` and returns a ``Plot``, which shows itself in a
notebook and saves itself. ``ladder`` (display.py) does the same with a trace. This is the topmost layer of the library:
the only one, beside the command line and the experiments, that knows both scenarios and figures.
"""

from typing import Any

from netsim.study.display import Ladder, ladder
from netsim.study.study import Study
from netsim.study.table import Table

__all__ = ["Ladder", "Plot", "Study", "Table", "ladder"]


def __getattr__(name: str) -> Any:
    if name == "Plot":  # matplotlib is loaded with the first figure
        from netsim.study.plot import Plot

        return Plot
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
