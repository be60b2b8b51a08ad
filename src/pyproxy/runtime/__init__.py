"""Floor 7: processes, loops, signals, clocks."""
