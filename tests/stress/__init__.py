"""A stress program that checks itself: `python -m tests.stress --seconds N --seed S`."""
