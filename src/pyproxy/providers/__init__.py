"""Floor 3: what is known of each upstream API."""
