"""Floor 8: commands and what a person reads."""
