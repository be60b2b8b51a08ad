"""Floor 4: sockets out."""
