"""The built-in demonstration upstream: an LLM API that knows one sentence.

It stands in for a provider when ``serve --dev`` has none to talk to, so that
the gateway can be tried on a machine without internet or credentials.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Self

from aiohttp import web

from pyproxy.cli import demonstration_anthropic as anthropic, demonstration_openai as openai
from pyproxy.cli.demonstration_question import Question, parse_question

HOST: Final = "127.0.0.1"
PAUSE_S: Final = 0.03  # between words: slow enough to see that a stream streams
START_TIMEOUT_S: Final = 10.0
SHUTDOWN_TIMEOUT_S: Final = 0.1

_BAD_JSON: Final = "The body is not the JSON of a request."


@dataclass(slots=True)
class Generations:
    """How the streamed answers ended so far.

    Attributes:
        finished: Went out whole.
        stopped: Given up, because the reader left.
    """

    finished: int = 0
    stopped: int = 0


class Demonstration:
    """The demonstration's handlers.

    Attributes:
        generations: Counted here for those who want to know.
    """

    def __init__(
        self, pause_s: float = PAUSE_S, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self.generations = Generations()
        self._pause_s = pause_s
        self._wall_clock = wall_clock

    def application(self) -> web.Application:
        """The upstream as a web application; OpenAI's paths with and without ``/v1``."""
        app = web.Application()
        for prefix in ("/v1", ""):
            app.router.add_get(f"{prefix}/models", self._models)
            app.router.add_post(f"{prefix}/chat/completions", self._chat)
            app.router.add_post(f"{prefix}/embeddings", self._embeddings)
        app.router.add_post("/v1/messages", self._messages)
        app.router.add_post("/v1/messages/count_tokens", self._count_tokens)
        return app

    async def _models(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(openai.models(self._now()))

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        question = parse_question(await request.read())
        if question is None:
            return web.json_response(openai.error(_BAD_JSON), status=400)
        if question.stream:
            return await self._stream(request, openai.completion_events(question, self._now()))
        return web.json_response(openai.completion(question, self._now()))

    async def _embeddings(self, request: web.Request) -> web.StreamResponse:
        question = parse_question(await request.read())
        if question is None:
            return web.json_response(openai.error(_BAD_JSON), status=400)
        return web.json_response(openai.embeddings(question))

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        question = parse_question(await request.read())
        if question is None:
            return web.json_response(anthropic.error(_BAD_JSON), status=400)
        if question.stream:
            return await self._stream(request, anthropic.message_events(question))
        return web.json_response(anthropic.message(question))

    async def _count_tokens(self, request: web.Request) -> web.StreamResponse:
        question = parse_question(await request.read()) or Question()
        return web.json_response(anthropic.token_count(question))

    async def _stream(self, request: web.Request, events: Iterable[bytes]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Cache-Control": "no-cache"})
        response.content_type = "text/event-stream"
        try:
            await response.prepare(request)
            for event in events:
                await response.write(event)
                await asyncio.sleep(self._pause_s)
            await response.write_eof()
        except ConnectionError:
            self.generations.stopped += 1
        else:
            self.generations.finished += 1
        return response

    def _now(self) -> int:
        return int(self._wall_clock())


@asynccontextmanager
async def running(application: web.Application, port: int) -> AsyncIterator[int]:
    """Serve on loopback while the block runs; gives the port.

    Raises:
        OSError: The port is taken.
    """
    runner = web.AppRunner(
        application, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_TIMEOUT_S
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


class DemonstrationThread:
    """The demonstration upstream in a thread of its own, with a loop of its own.

    The gateway's loop does not notice it, and it ends with the process.
    """

    def __init__(self, demonstration: Demonstration, port: int = 0) -> None:
        self.port = port
        self._application = demonstration.application()
        self._started = threading.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._problem: OSError | None = None
        self._thread = threading.Thread(target=self._main, name="demonstration", daemon=True)

    def start(self) -> Self:
        """Start it and wait until it listens; then ``port`` says where.

        Raises:
            OSError: The port is taken.
        """
        self._thread.start()
        if not self._started.wait(START_TIMEOUT_S):
            raise TimeoutError("the demonstration upstream did not start")
        if self._problem is not None:
            raise self._problem
        return self

    def stop(self) -> None:
        """End it; what is being answered is cut off."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._problem = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with running(self._application, self.port) as port:
            self.port = port
            self._started.set()
            await self._stopping.wait()
