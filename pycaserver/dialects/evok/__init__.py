"""Evok's WebSocket API (UniPi), spoken about PVs: protocol source, Evok's own documentation of its /ws."""
