"""Where it is served: HTTP and WebSockets, by Tornado."""
