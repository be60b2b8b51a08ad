"""Redis itself: one server, the one that sentinels know, or a cluster."""

import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar, cast

from redis._parsers import _AsyncRESP2Parser
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    NoScriptError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TimeoutError as RedisTimeout,
)

from pyproxy.config.store import StoreSettings
from pyproxy.store.line import Question, StoreFault, Value
from pyproxy.store.scripts import Script

_CONNECT_S: Final = 1.0
# One more attempt, at once, over a new connection: the old one may have been closed while idle.
_RETRIES: Final = 1
_MOST_CONNECTIONS: Final = 16

_Client = TypeVar("_Client", bound=Redis | RedisCluster)

NONSENSE: Final = "an answer that makes no sense"
_KNOWN: Final = (
    (AuthenticationError, "it does not take our user or password"),
    (MasterNotFoundError, "no sentinel that answers knows its master"),
    (RedisClusterException, "no server that answers is of a cluster"),
)


class _Pipeline(Protocol):
    """What both libraries' pipelines have in common."""

    def execute_command(self, *words: Value) -> Awaitable[object]: ...

    async def execute(self, raise_on_error: bool) -> list[object]: ...


@dataclass(slots=True)
class _Call:
    """One run of a script, for one question or for several that it can answer together."""

    script: Script
    count: int
    keys: list[bytes]
    values: list[Value]

    def words(self, verb: str) -> tuple[Value, ...]:
        name = self.script.digest if verb == "EVALSHA" else self.script.text
        return (verb, name, len(self.keys), *self.keys, *self.values)

    def answers(self, answer: object) -> Sequence[object]:
        """What each question is answered.

        Raises:
            StoreFault: It is an error, or not what the script would say.
        """
        if isinstance(answer, Exception):
            raise StoreFault(reason_of(answer))
        if not self.script.folds:
            return [answer]
        if not isinstance(answer, list) or len(answer) != self.count:
            raise StoreFault(NONSENSE)
        return answer


def _folded(questions: Sequence[Question], *, is_spread: bool) -> list[_Call]:
    """As few runs as possible; in a cluster one each, since keys lie on different servers."""
    calls: list[_Call] = []
    for each in questions:
        last = calls[-1] if calls else None
        if last is not None and not is_spread and each.script.folds and last.script is each.script:
            last.keys += each.keys
            last.values += each.values
            last.count += 1
        else:
            calls.append(_Call(each.script, 1, list(each.keys), list(each.values)))
    return calls


class RedisFar:
    """The store that the settings name; connects when it is first asked.

    Args:
        settings: Its address, not `memory:`.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._options = _options(settings)
        self._client, self._sentinels = _client(settings, self._options)

    async def put(self, questions: Sequence[Question]) -> Sequence[object]:
        """Run scripts by their digests; those that the server does not know, by their text."""
        calls = _folded(questions, is_spread=self._settings.url.kind == "cluster")
        answers = await self._run(calls, "EVALSHA")
        unknown = [i for i, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            again = await self._run([calls[i] for i in unknown], "EVAL")
            for i, answer in zip(unknown, again, strict=True):
                answers[i] = answer
        return [each for call, answer in zip(calls, answers, strict=True)
                for each in call.answers(answer)]  # fmt: skip

    async def _run(self, calls: "Sequence[_Call]", verb: str) -> list[object]:
        try:
            if len(calls) == 1:  # half of what a pipeline costs
                return [
                    await cast("_Pipeline", self._client).execute_command(*calls[0].words(verb))
                ]
            pipeline = cast("_Pipeline", self._client.pipeline(transaction=False))
            for each in calls:
                _ = pipeline.execute_command(*each.words(verb))
            return await pipeline.execute(raise_on_error=False)
        except NoScriptError as error:
            return [error]
        except Exception as error:
            # Whatever it is: what answers there may be anything, and the library is not
            # proof against all of it.
            raise StoreFault(reason_of(error)) from error

    async def connect(self, scripts: Iterable[Script]) -> None:
        """Load scripts, on every server of a cluster."""
        try:
            for script in scripts:
                _ = await cast("Any", self._client.script_load(script.text))
        except Exception as error:
            raise StoreFault(reason_of(error)) from error

    @asynccontextmanager
    async def listening(self, channels: Sequence[bytes]) -> AsyncIterator[PubSub]:
        """Hear what is published on these channels, over a connection of its own.

        Raises:
            StoreFault: It cannot be reached, or does not let us.
        """
        client, is_ours = self._listener()
        try:
            pubsub = client.pubsub(ignore_subscribe_messages=True)
            try:
                await pubsub.subscribe(*channels)
                yield pubsub
            finally:
                await pubsub.aclose()  # type: ignore[no-untyped-call]
        except Exception as error:
            raise StoreFault(reason_of(error)) from error
        finally:
            if is_ours:
                await client.aclose()

    def _listener(self) -> "tuple[Redis, bool]":
        """Who is listened to: in a cluster any node, since each hears all that is published."""
        if isinstance(self._client, Redis):
            return self._client, False
        node = self._client.get_random_node()
        return _warily(Redis(host=node.host, port=int(node.port), **self._options)), True

    async def close(self) -> None:
        """End all connections; a fresh client stands ready, without memories of the old one."""
        old: tuple[Redis | RedisCluster, ...] = (self._client, *self._sentinels)
        self._client, self._sentinels = _client(self._settings, self._options)
        try:
            for each in old:
                await each.aclose()
        except Exception as error:
            raise StoreFault(reason_of(error)) from error


def _options(settings: StoreSettings) -> dict[str, Any]:
    """What every connection is made with."""
    address = settings.url
    options: dict[str, Any] = {
        "username": address.user or None,
        "password": address.password.reveal() if address.password else None,
        "socket_timeout": None,  # the line knows when an answer is late
        "socket_connect_timeout": _CONNECT_S,
        "protocol": 2,  # without HELLO: a user needs fewer rights
        "driver_info": None,  # without CLIENT SETINFO: likewise
        "retry": Retry(NoBackoff(), _RETRIES),
        "max_connections": _MOST_CONNECTIONS,
    }
    if address.is_tls:
        options |= {
            "ssl": True,
            "ssl_ca_certs": settings.ca or None,
            "ssl_certfile": settings.certificate or None,
            "ssl_keyfile": settings.private_key or None,
            "ssl_cert_reqs": "required",
            "ssl_check_hostname": True,
            "ssl_min_version": ssl.TLSVersion.TLSv1_2,
        }
    return options


def _client(
    settings: StoreSettings, options: dict[str, Any]
) -> "tuple[Redis | RedisCluster, tuple[Redis, ...]]":
    """A client, and those of its sentinels."""
    address = settings.url
    if address.kind == "cluster":
        nodes = [ClusterNode(host, port) for host, port in address.nodes]
        return _warily(RedisCluster(startup_nodes=nodes, **options)), ()
    if address.kind == "sentinel":
        keys = {"socket_timeout", "socket_connect_timeout", "protocol", "driver_info"}
        theirs = {k: v for k, v in options.items() if k in keys or k.startswith("ssl")}
        sentinel = Sentinel(  # type: ignore[no-untyped-call]
            address.nodes, sentinel_kwargs=theirs, db=address.database, **options
        )
        return _warily(sentinel.master_for(address.master)), tuple(map(_warily, sentinel.sentinels))
    if address.path:
        return _warily(Redis(unix_socket_path=address.path, db=address.database, **options)), ()
    host, port = address.nodes[0]
    return _warily(Redis(host=host, port=port, db=address.database, **options)), ()


def _warily(client: _Client) -> _Client:
    """The same client, which reads answers by the library's own parser in all its connections.

    The other one, hiredis, is taken where it is installed, and makes a list as long as the
    server says it will be: of ``*2147483647`` alone, 17 GB of nothing, and the loop stands
    still for half a minute. It would save 3 us a take in a batch, 25 alone.
    """
    if isinstance(client, Redis):
        every: list[dict[str, Any]] = [client.connection_pool.connection_kwargs]
    else:
        seeds = client.nodes_manager.startup_nodes.values()
        every = [client.connection_kwargs, *(each.connection_kwargs for each in seeds)]
    for options in every:
        options["parser_class"] = _AsyncRESP2Parser
    return client


def reason_of(error: BaseException) -> str:
    """What happened, for an operator; a server's own words only by their first one."""
    for kind, words in _KNOWN:
        if isinstance(error, kind):
            return words
    if isinstance(error, ResponseError):
        return f"it answers {_code(error)}"
    if isinstance(error, RedisError | OSError):
        cause = error.__cause__ or error.__context__
        if isinstance(cause, ssl.SSLError):
            return f"no TLS: {getattr(cause, 'reason', None) or type(cause).__name__}"
        return f"no connection: {_in_words(cause or error)}"
    return f"an answer that makes no sense: {type(error).__name__}"


def _in_words(error: BaseException) -> str:
    """Why there is none; by the system's own word, since asyncio's has the address in it."""
    if isinstance(error, socket.gaierror):
        return "the name cannot be resolved"
    if isinstance(error, TimeoutError | RedisTimeout):
        return "it took too long"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return type(error).__name__


def _code(error: ResponseError) -> str:
    """The word that a server's error begins with: OOM, READONLY, LOADING."""
    status = getattr(error, "status_code", None)
    word = str(error).partition(" ")[0]
    return str(status or (word if word.isupper() and word.isalpha() else "an error"))
