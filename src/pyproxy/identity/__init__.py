"""Floor 3: who is asking."""
