"""Our own interface, under /_mock: what was recorded, and how the server is."""
