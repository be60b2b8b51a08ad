"""Floor 3: which route takes a request."""
