"""Floor 3: what is sent on, up and down."""
