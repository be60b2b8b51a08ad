"""Whether an endpoint is worth a request, judged by what became of those before."""

from typing import Final

FAILURES: Final = 3  # in a row: one may be chance, and is made up for by another attempt
FIRST_TERM_S: Final = 10.0
LONGEST_TERM_S: Final = 300.0


class Standing:
    """Failures in a row, and what follows from them.

    After ``FAILURES`` an endpoint is out for a term; when it is over, one request a
    term finds out whether it works again. Each that does not doubles the next term,
    the first that does ends it all.

    Attributes:
        out_until: Monotonic seconds; others should be asked before.
    """

    __slots__ = ("_failures", "_is_on_trial", "_term_s", "out_until")

    def __init__(self) -> None:
        self._failures = 0
        self._term_s = FIRST_TERM_S
        self.out_until = 0.0
        self._is_on_trial = False

    @property
    def is_out(self) -> bool:
        """It failed too often, and nothing has worked since."""
        return self.out_until > 0.0

    def is_due(self, now: float) -> bool:
        """It is out, and its term is over: the next request finds out whether it works."""
        return self.is_out and now >= self.out_until

    def chosen(self, now: float) -> None:
        """Take note that a request goes there; if it is out, or was, that is the trial."""
        if self.out_until and now >= self.out_until:
            # Nobody else until it is known how that one fared. A request that ends without
            # a verdict, since its client left, is followed by another trial a term later.
            self.out_until = now + self._term_s
            self._is_on_trial = True

    def worked(self) -> bool:
        """Take note that an answer's head came.

        Returns:
            Whether this ended its being out.
        """
        was_out = self.is_out
        self._failures = 0
        if was_out:
            self._term_s, self.out_until, self._is_on_trial = FIRST_TERM_S, 0.0, False
        return was_out

    def failed(self, now: float) -> float:
        """Take note that no connection could be made, or that it ended or stayed silent.

        Requests that were under way when it was put out, and fail now, say nothing new.

        Returns:
            The term, in seconds, if it is out for one from now on; else 0.
        """
        self._failures += 1
        if self._failures < FAILURES or (now < self.out_until and not self._is_on_trial):
            return 0.0
        term = self._term_s
        self.out_until = now + term
        self._term_s = min(2.0 * term, LONGEST_TERM_S)
        self._is_on_trial = False
        return term
