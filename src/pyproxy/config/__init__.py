"""Floor 2: text to settings."""
