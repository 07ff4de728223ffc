"""The studies: a topic each, from points to one tidy table that a figure shows.

A study has the name of its scenario and makes three things. *Cases*: points of the scenario with the labels that they
have in the table (`study.Case`), for example ``teardown.segment_cases``. *Simulation*: `study.simulate` runs every case
with independent replications and returns the rows of each. *A table*: `study.estimates` puts the scenario's estimates
with their 95 % intervals into rows of source ``simulation``; `study.exact` adds what the scenario's theory says of the
same labels, usually at more points, as rows of source ``exact``; `study.differences` adds paired differences of cases
that share their random numbers. ``netsim.figures`` draws such tables, ``experiments/`` joins both.

To add a curve, add its cases here (often one entry of a dictionary of names and settings, such as ``teardown.ACKS``);
the figure draws a curve for every name in the table.
"""
