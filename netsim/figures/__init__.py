"""The figures: a table or a trace and an Axes in, the Axes out; whole sheets with their title and footer.

How a figure is made here. A topic has one name in every package. To change the teardown figures, for example, open two
files at most:

- ``studies/teardown.py``: which points are simulated, what theory says of them, and the one table that comes of both: a
  row per point and estimate, with the columns ``source`` (simulation or exact), ``value``, ``low``, ``high``, ``n``;
- ``figures/teardown.py``: how that table is drawn, with its title, its labels and its footer.

``experiments/e05_teardown.py`` only joins the two and says how many runs there are.

To add a curve to the figure "three segments or four", add an entry to ``ACKS`` in ``studies/teardown.py``: every entry
is a curve, with its name at the curve's end, and its exact values dashed if the scenario's theory has them. Then look
at the result: ``netsim reproduce e05 --out results``. To change a colour, a mark or a type size of all figures, open
``style.py``.

A figure function, ``segments_figure(table, ..., n, seed)``, calls `style.sheet` for the frame, draws with the functions
of ``curves.py`` and, when the limits of the axes are final, `labels.label_curves`, which writes the curves' names
beside them (there are no legend boxes). Its title is one claim of at most 90 characters, computed from the table: no
result is written into the code. Its footer is `labels.footer`: runs per point, interval, losses, model, seed.

- ``style.py``: type sizes, colours, marks, and the frame of title, footer and panels. Draw within ``style.styled()``:
  it keeps the user's own matplotlib settings out, and leaves them as they were.
- ``curves.py``: lines with intervals and exact values, distributions as steps, logarithmic axes.
- ``labels.py``: names beside curves, numbers in words, footers, systems by the names that people use.
- ``output.py``: PNG, SVG, PDF and CSV, the same bytes every time.
"""
