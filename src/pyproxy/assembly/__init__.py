"""Floor 6: settings and resources become a gateway."""
