"""Figures: rows and an Axes in, the Axes out; whole sheets with their sentences; the same bytes every time."""
