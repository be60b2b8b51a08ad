"""Floor 3 1/2: what connections on both sides do with a transport."""
