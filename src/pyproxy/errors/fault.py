"""What is wrong with a configuration, collected and reported together."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong, and where.

    Attributes:
        path: Where, as the reader of the file writes it: ``routes[2].upstream``,
            a file's path, or an environment variable's name.
        problem: What is wrong, and what would be accepted.
    """

    path: str
    problem: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.path}: {self.problem}" if self.path else self.problem


class ConfigurationError(Exception):
    """A configuration that cannot be served, with every fault found in it."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults
