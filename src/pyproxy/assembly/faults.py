"""Several things read one after the other, and what is wrong with any of them."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from pyproxy.errors.fault import ConfigurationError, Fault

T = TypeVar("T")


class Faults:
    """Collects faults, so that an operator hears of all of them at once.

    Attributes:
        found: So far; none twice.
    """

    def __init__(self) -> None:
        self.found: dict[Fault, None] = {}

    def add(self, faults: Iterable[Fault]) -> None:
        """Take note of faults that were found elsewhere."""
        self.found |= dict.fromkeys(faults)

    def attempt(self, read: Callable[[], T], otherwise: T) -> T:
        """What ``read`` gives; ``otherwise`` where it is faulty."""
        try:
            return read()
        except ConfigurationError as exc:
            self.add(exc.faults)
            return otherwise

    def raise_if_any(self) -> None:
        """Report.

        Raises:
            ConfigurationError: With every fault found.
        """
        if self.found:
            raise ConfigurationError(*self.found)
