"""Floor 4: sockets in."""
