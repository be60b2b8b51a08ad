"""Pictures for the documentation: a real gateway under made-up load, and what it looks like."""
