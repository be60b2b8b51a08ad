import asyncio
import socket
import ssl

import pytest
from redis._parsers import _AsyncRESP2Parser
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import (
    AuthenticationError,
    ConnectionError as RedisConnectionError,
    NoScriptError,
    ReadOnlyError,
    RedisClusterException,
    ResponseError,
    TimeoutError as RedisTimeout,
)

from pyproxy.config.store import StoreSettings
from pyproxy.store.far import NONSENSE, RedisFar, reason_of
from pyproxy.store.line import Question, StoreFault
from pyproxy.store.scripts import Script

FOLDS, SINGLE = Script("folds", folds=True), Script("single")


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (AuthenticationError("WRONGPASS hunter2"), "it does not take our user or password"),
        (ResponseError("OOM command not allowed"), "it answers OOM"),
        (ResponseError("hunter2 is wrong"), "it answers an error"),
        (ReadOnlyError("You can't write"), "it answers READONLY"),
        (RedisConnectionError("Error 111 connecting"), "no connection: ConnectionError"),
        (OSError("x"), "no connection: OSError"),
        (
            caused(RedisConnectionError("x"), ConnectionRefusedError()),
            "no connection: ConnectionRefusedError",
        ),
        (
            caused(RedisConnectionError("x"), OSError(111, "Connect call failed ('::1', 1)")),
            "no connection: connection refused",
        ),
        (
            caused(RedisConnectionError("x"), socket.gaierror(-2, "Name or service not known")),
            "no connection: the name cannot be resolved",
        ),
        (TimeoutError(), "no connection: it took too long"),
        (RedisTimeout("x"), "no connection: it took too long"),
        (caused(RedisConnectionError("x"), ssl.SSLError(1, "x")), "no TLS: SSLError"),
        (MasterNotFoundError("x"), "no sentinel that answers knows its master"),
        (RedisClusterException("x"), "no server that answers is of a cluster"),
        (IndexError("x"), "an answer that makes no sense: IndexError"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_reason_says_what_happened_and_repeats_nothing(error, reason):
    assert reason_of(error) in {reason, "it answers an error"}
    assert "hunter2" not in reason_of(error)


class FakeClient:
    """Runs calls by their verb."""

    def __init__(self, known=(), answer=None):
        self.known = set(known)
        self.calls = []
        self.answer = answer

    async def execute_command(self, *words):
        verb, name, count, *rest = words
        self.calls.append((verb, count, rest))
        if isinstance(self.answer, Exception):
            raise self.answer
        if verb == "EVALSHA" and name not in self.known:
            raise NoScriptError
        return self.answer or [[key] for key in rest[:count]]

    def pipeline(self, *, transaction):
        assert not transaction
        return FakePipeline(self)


class FakePipeline:
    def __init__(self, client):
        self._client, self._words = client, []

    def execute_command(self, *words):
        self._words.append(words)

    async def execute(self, *, raise_on_error):
        assert not raise_on_error
        return await asyncio.gather(
            *(self._client.execute_command(*words) for words in self._words),
            return_exceptions=True,
        )


async def far_with(client, url="redis://h"):
    far = RedisFar(StoreSettings(url=url))
    await far.close()
    far._client = client
    return far


def question(script, key):
    return Question(script, (key,), (1, 2), None)


async def test_questions_of_one_script_are_one_run():
    client = FakeClient({FOLDS.digest})
    far = await far_with(client)

    assert await far.put([question(FOLDS, b"a"), question(FOLDS, b"b")]) == [[b"a"], [b"b"]]
    assert client.calls == [("EVALSHA", 2, [b"a", b"b", 1, 2, 1, 2])]


async def test_in_a_cluster_each_is_a_run_of_its_own():
    client = FakeClient({FOLDS.digest}, answer=[[b"x"]])
    far = await far_with(client, "redis+cluster://h")

    assert await far.put([question(FOLDS, b"a"), question(FOLDS, b"b")]) == [[b"x"], [b"x"]]
    assert [count for _, count, _ in client.calls] == [1, 1]


async def test_a_script_that_is_not_known_is_sent_whole():
    client = FakeClient({SINGLE.digest})
    far = await far_with(client)
    answers = await far.put([question(FOLDS, b"a"), question(SINGLE, b"b")])

    assert answers == [[b"a"], [[b"b"]]]
    assert [verb for verb, *_ in client.calls] == ["EVALSHA", "EVALSHA", "EVAL"]
    assert await (await far_with(FakeClient())).put([question(FOLDS, b"a")]) == [[b"a"]]


@pytest.mark.parametrize("answer", [7, [1, 2, 3]])
async def test_a_folded_answer_of_another_shape_is_a_fault(answer):
    far = await far_with(FakeClient({FOLDS.digest}, answer))

    with pytest.raises(StoreFault, match=NONSENSE):
        await far.put([question(FOLDS, b"a")])


async def test_an_error_of_one_is_a_fault_of_all():
    far = await far_with(FakeClient({SINGLE.digest}, ResponseError("OOM x")))

    for questions in ([question(SINGLE, b"a")], [question(SINGLE, b"a"), question(FOLDS, b"b")]):
        with pytest.raises(StoreFault, match=r"it answers (OOM|an error)"):
            await far.put(questions)


class FakePubSub:
    """Fails as a library does that met what nobody foresaw."""

    async def subscribe(self, *_):
        raise AssertionError

    async def aclose(self):
        pass


class Fragile(Redis):
    def pubsub(self, **_):
        return FakePubSub()

    async def aclose(self):
        raise ValueError("hunter2")


async def test_whatever_the_library_meets_is_a_fault_of_the_store():
    far = await far_with(Fragile())

    with pytest.raises(StoreFault, match="AssertionError"):
        async with far.listening([b"channel"]):
            pass
    with pytest.raises(StoreFault, match="ValueError") as caught:
        await far.close()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("redis://h", Redis),
        ("unix:///run/r.sock", Redis),
        ("redis+sentinel://:pw@h/m", Redis),
        ("redis+cluster://h", RedisCluster),
    ],
)
async def test_each_kind_has_its_client_and_closes_it(url, kind):
    far = RedisFar(StoreSettings(url=url))
    assert isinstance(far._client, kind)
    assert "pw" not in repr(far)

    await far.close()
    await far.close()


async def test_tls_is_verified_always():
    far = RedisFar(StoreSettings(url="rediss://h"))
    options = far._options

    assert options["ssl_cert_reqs"] == "required"
    assert options["ssl_check_hostname"] is True
    assert options["ssl_min_version"] == ssl.TLSVersion.TLSv1_2
    await far.close()


@pytest.mark.parametrize(
    "url",
    ["redis://h", "unix:///run/r.sock", "redis+sentinel://h/m", "redis+cluster://h1,h2"],
)
async def test_no_list_is_made_as_long_as_a_server_says(url):
    client = RedisFar(StoreSettings(url=url))._client
    if isinstance(client, RedisCluster):
        options = [each.connection_kwargs for each in client.nodes_manager.startup_nodes.values()]
        options.append(client.nodes_manager.connection_kwargs)
    else:
        options = [client.connection_pool.connection_kwargs]

    assert {each["parser_class"] for each in options} == {_AsyncRESP2Parser}
