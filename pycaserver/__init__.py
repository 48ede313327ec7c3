"""pycaserver: live EPICS process variables for web pages and WebSocket programs."""

__version__ = "0.1.0"
