"""Floor 3: how often one may ask."""
