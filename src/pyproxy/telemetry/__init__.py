"""Floor 4: what is written down."""
