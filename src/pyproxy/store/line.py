"""The way to Redis: what is asked in one moment goes in one write, and a dead end costs nothing."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeVar

from pyproxy.store.scripts import Script

Event = Literal["store.up", "store.down"]
Tell = Callable[[Event, str], None]
"""Hears of a change once: what, and why, with nothing secret in it."""
_T = TypeVar("_T")
Value = bytes | str | int | float

MOST_WAITING: Final = 10_000  # questions; about 5 MB
_MOST_AT_ONCE: Final = 500  # questions in one write; Redis needs a few milliseconds for them
# While one sender waits for its answers, the next questions need not.
_SENDERS: Final = 2
_FIRST_PROBE_S: Final = 1.0
_LAST_PROBE_S: Final = 30.0
# A store that fails again so soon was not well: the next probe waits longer than the last.
_STEADY_S: Final = 10.0
_CONNECT_S: Final = 2.0
_LAST_PART: Final = 0.2  # of a wait


class StoreFault(Exception):
    """The store did not do what it was asked to; says how, with nothing secret in it."""


@dataclass(slots=True, eq=False)
class Question:
    """One script to be run.

    Attributes:
        script: It.
        keys: What it works on, all of one slot.
        values: Its arguments.
        answered: Gets the answer, or ``None``: the store is down. ``None``: nobody cares.
    """

    script: Script
    keys: Sequence[bytes]
    values: Sequence[Value]
    answered: "asyncio.Future[object] | None"


class Far(Protocol):
    """The other side."""

    async def put(self, questions: Sequence[Question]) -> Sequence[object]:
        """Run scripts, each as one step, in one write where they go to one server.

        Raises:
            StoreFault: One of them failed, or nobody knows; some may have been run.
        """
        ...

    async def connect(self, scripts: Iterable[Script]) -> None:
        """Reach it, however long that takes, and let it know these scripts.

        Raises:
            StoreFault: It cannot be reached, or does not let us in.
        """
        ...

    async def close(self) -> None:
        """End all connections; new ones are made when it is asked again."""
        ...


class Line:
    """Asks, and knows whether there is any use in asking.

    The first fault takes the line down: whoever waits is told so at once, and until a probe
    finds the store well nothing is sent. So a store that is dead, stopped, slow or full
    costs its timeout once in each term: 1 s, then twice as long each time, up to 30 s.

    Args:
        far: The other side.
        timeout_s: For an answer.
        tell: Hears of ups and downs.
        probe: What a store that is well can do: every script once, some of which write,
            since a full one can read.

    Attributes:
        is_up: Asking may help.
        failures: Faults so far, failed probes included.
        connected: Set while it is known to be there.
        on_rise: Called each time that it is found to be there.
    """

    def __init__(self, far: Far, timeout_s: float, tell: Tell, probe: Sequence[Question]) -> None:
        self._far = far
        self._timeout_s = timeout_s
        self._tell = tell
        self._probe = probe
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Question] = []
        self._sent: list[list[Question]] = []
        self._tasks: set[asyncio.Task[object]] = set()
        self._wanted = asyncio.Event()
        self._fell = asyncio.Event()
        self._delay_s = _FIRST_PROBE_S
        self._up_at = float("-inf")
        self.is_up = True
        self.failures = 0
        self.connected = asyncio.Event()
        self.on_rise: list[Callable[[], None]] = []

    def ask(
        self, script: Script, keys: Sequence[bytes], values: Sequence[Value]
    ) -> "asyncio.Future[object]":
        """Have a script run; the answer is ``None`` if the store is down, at once or later."""
        answered: asyncio.Future[object] = self._loop.create_future()
        if not self._admit(Question(script, keys, values, answered)):
            answered.set_result(None)
        return answered

    def tell(self, script: Script, keys: Sequence[bytes], values: Sequence[Value]) -> None:
        """Have a script run if the store is there; nobody hears what came of it."""
        self._admit(Question(script, keys, values, None))

    def _admit(self, question: Question) -> bool:
        if not self.is_up or len(self._waiting) >= MOST_WAITING:
            return False
        self._waiting.append(question)
        self._wanted.set()
        return True

    async def run(self) -> None:
        """Carry what is asked, until cancelled; whoever waits then is told that it is down."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(_SENDERS):
                    _ = tasks.create_task(self._send(), name=f"store sender {number}")
                await self._watch()
        finally:
            self.is_up = False
            self.connected.clear()
            self._let_go()
            await self._far.close()

    async def _send(self) -> None:
        while True:
            await self._wanted.wait()
            batch = self._waiting[:_MOST_AT_ONCE]
            del self._waiting[:_MOST_AT_ONCE]
            if not self._waiting:
                self._wanted.clear()
            if batch:
                await self._carry(batch)

    async def _carry(self, batch: list[Question]) -> None:
        self._sent.append(batch)
        try:
            answers = await self._within(self._far.put(batch), self._timeout_s)
        except StoreFault as fault:
            self._fall(str(fault))
        else:
            for question, answer in zip(batch, answers, strict=True):
                if question.answered is not None and not question.answered.done():
                    question.answered.set_result(answer)
        finally:
            self._sent.remove(batch)
            _tell_down(batch)

    async def _within(self, work: Coroutine[object, object, _T], seconds: float) -> _T:
        """What work comes to, if it does in time.

        It runs as a task of its own, which is cancelled and not waited for: what a library
        does with a cancellation in the middle of a broken protocol is nothing to rely on.

        Raises:
            StoreFault: It failed, or took too long.
        """
        task = self._loop.create_task(work, name="store work")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        try:
            # In two parts, so that an answer which came while this process was busy counts:
            # what is on the socket is read between them.
            for part in (1 - _LAST_PART, _LAST_PART):
                done, _ = await asyncio.wait({task}, timeout=seconds * part)
                if done:
                    return task.result()
            raise StoreFault(f"no answer in {seconds:g} s")
        finally:
            task.cancel()

    def _ended(self, task: "asyncio.Task[object]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            _ = task.exception()  # seen, if anybody still wanted to know

    def fault(self, reason: str) -> None:
        """An answer made no sense: take the line down."""
        self._fall(reason)

    def _fall(self, reason: str) -> None:
        self.failures += 1
        if not self.is_up:
            return
        self.is_up = False
        self.connected.clear()
        if self._loop.time() - self._up_at >= _STEADY_S:
            self._delay_s = _FIRST_PROBE_S
        self._tell("store.down", reason)
        self._let_go()
        self._fell.set()

    def _let_go(self) -> None:
        """Tell everybody who waits that nothing will come."""
        waiting, self._waiting = self._waiting, []
        self._wanted.clear()
        for batch in (waiting, *self._sent):
            _tell_down(batch)

    async def _watch(self) -> None:
        """Find out whether it is there, now and after each fall."""
        reason = await self._try()
        if reason:
            self._fall(reason)
        else:
            self._rise()
        while True:
            await self._fell.wait()
            await asyncio.sleep(self._delay_s)
            self._delay_s = min(2 * self._delay_s, _LAST_PROBE_S)
            if await self._try():
                self.failures += 1
            else:
                self._rise()

    def _rise(self) -> None:
        self._fell.clear()
        self.is_up = True
        self._up_at = self._loop.time()
        self.connected.set()
        self._tell("store.up", "")
        for each in self.on_rise:
            each()

    async def _try(self) -> str:
        """What is wrong with it; ``""``: nothing."""
        scripts = dict.fromkeys(each.script for each in self._probe)
        try:
            await self._within(self._far.close(), _CONNECT_S)  # what is left of better times
            await self._within(self._far.connect(scripts), _CONNECT_S)
            _ = await self._within(self._far.put(self._probe), self._timeout_s)
        except StoreFault as fault:
            return str(fault)
        return ""


def _tell_down(batch: Sequence[Question]) -> None:
    """Tell whoever waits still that nothing will come."""
    for question in batch:
        if question.answered is not None and not question.answered.done():
            question.answered.set_result(None)
