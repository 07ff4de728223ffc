"""The figures of the study of reused four-tuples, whole: sentence, panels, footer."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from netsim.figures import titles
from netsim.figures.labels import Label, label_curves
from netsim.figures.reuse import FLOOR, acceptance, sequence_plot
from netsim.figures.style import looks_of, sheet
from netsim.sweep import Rows


def acceptance_figure(table: Rows, *, headings: Mapping[float, str], n: int, seed: int, model: str) -> Figure:
    """P(old data is accepted), a panel for each TIME-WAIT (its ``headings`` by seconds); ``model``: how copies come."""
    more = (
        f"{model}; dashes: expectation given each run's times; arrows: none seen, 95 % bound by Clopper and Pearson; "
        f"{_never(table)}"
    )
    note = titles.footer(n=n, seed=seed, interval=titles.WILSON, loss="independent losses", more=more)
    title = titles.stale_title(table)
    figure, panels = sheet(title, note, columns=len(headings), height=5.4, label_room=1.3, head_room=0.25)
    for ax, (wait, heading) in zip(panels, headings.items(), strict=True):
        acceptance(ax, table.where(time_wait=wait), heading)
    panels[0].set_ylabel("P(old data accepted)")
    panels[len(panels) // 2].set_xlabel("loss, each way")
    last = table.where(time_wait=list(headings)[-1])
    names = looks_of(last, "isn")
    label_curves(panels[-1], [Label(name, _end(last.where(isn=name)), look) for name, look in names.items()])
    return figure


def _never(table: Rows) -> str:
    """The ISN policies whose expectation is 0 in every run, which no logarithmic axis can show."""
    expected = table.where(estimate="p_stale_data_expected")
    zero = [str(isn) for (isn,), rows in expected.group_by("isn").items() if not any(rows.column("value"))]
    return f"{' and '.join(zero)} ISNs: exactly 0" if zero else ""


def _end(rows: Rows) -> float:
    """Where the curve of one ISN policy ends: its expectation, or (0) its upper bound, or the floor."""
    expected = rows.where(estimate="p_stale_data_expected").column("value")[-1]
    bound = rows.where(estimate="p_stale_data_accepted").column("upper_bound")[-1]
    return float(expected or bound or FLOOR)


def sequence_figure(rows: Rows, note: str) -> Figure:
    """Time against sequence number of one run."""
    figure, (ax,) = sheet(titles.sequence_title(rows), note, label_room=0.3, head_room=0.25)
    sequence_plot(ax, rows)
    return figure
