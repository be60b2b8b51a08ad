"""Floor 4: what machines share, in Redis."""
