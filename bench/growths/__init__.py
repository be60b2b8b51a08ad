"""What may become many: a module for each way of measuring it."""
