"""What is measured side by side: a module each, which knows how to start it."""
