"""How it is said on the wire; pure functions of the core's vocabulary."""
