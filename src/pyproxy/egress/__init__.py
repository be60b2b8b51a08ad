"""Floor 1: where connections may go: facts of names and addresses."""
