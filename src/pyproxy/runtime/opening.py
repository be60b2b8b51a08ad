"""Listeners opened while a loop runs: off it, because a name may have to be resolved."""

from collections.abc import Iterable
from functools import partial

from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.inherited import Inherited
from pyproxy.runtime.sockets import Listening


class Opening:
    """Opens listeners, on inherited sockets where there are any.

    Args:
        blocking: Resolves names.
        inherited: What is there already.
    """

    def __init__(self, blocking: Blocking, inherited: Inherited) -> None:
        self._blocking = blocking
        self._inherited = inherited

    async def listen(self, spec: str) -> Listening:
        """Listen on one address.

        Raises:
            ConfigurationError: It cannot be listened on.
            TimeoutError: Its name cannot be resolved at the moment.
        """
        return await self._blocking.call("name", partial(self._inherited.listen, spec))

    async def listen_on_all(
        self, specs: Iterable[str], in_force: Iterable[Listening]
    ) -> tuple[Listening, ...]:
        """Those in force, and new ones for other addresses; all of them or none.

        Raises:
            ConfigurationError: As above.
            TimeoutError: As above.
        """
        known = {each.spec: each for each in in_force}
        found: list[Listening] = []
        try:
            for spec in specs:
                listening = known.get(spec)
                if listening is None:
                    listening = await self.listen(spec)
                found.append(listening)
        except BaseException:
            for each in found:
                if each.spec not in known:
                    each.close()
            raise
        return tuple(found)
