"""A soak: the stress program's sessions for hours at a rate, its figures over time: `python -m tests.soak`."""
