"""Every command as it is typed: options, help, examples. What they do is elsewhere."""
