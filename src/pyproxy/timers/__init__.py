"""Floor 3 and a half: time that runs out, for whoever holds a loop."""
