"""What the server does, free of network, EPICS and clock."""
