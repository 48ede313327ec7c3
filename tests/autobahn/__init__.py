"""The fuzzing client of the Autobahn test suite against our framing, behind an address that echoes."""
