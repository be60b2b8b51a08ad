"""One figure, and the bound it is held to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Something that was measured.

    Attributes:
        what: In words.
        value: Measured.
        bound: Most that it may be; ``None``: for information.
        unit: Of both.
    """

    what: str
    value: float
    unit: str
    bound: float | None = None

    @property
    def is_kept(self):
        """Whether the bound is."""
        return self.bound is None or self.value <= self.bound

    def __str__(self):
        bound = "" if self.bound is None else f"<= {self.bound:g}"
        return (
            f"{self.what:62} {self.value:10.2f} {self.unit:6} {bound:10}"
            f"{'' if self.is_kept else '  MISSED'}"
        )
