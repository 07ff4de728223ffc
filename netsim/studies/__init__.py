"""Studies: a topic each, from points to one tidy table."""
