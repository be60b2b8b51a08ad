"""Floor 5: the way of one request."""
