"""From ``bind = "..."`` to sockets that listen."""

import errno
import re
import socket
import stat
from pathlib import Path

import pytest

from pyproxy.errors.fault import ConfigurationError
from pyproxy.runtime.sockets import (
    Listening,
    TcpBind,
    UnixBind,
    _listen_tcp,
    _sentence,
    listen,
    parse_bind,
    unplaced,
)

TCP = TcpBind("127.0.0.1", 443)
UNIX = UnixBind(Path("/run/pyproxy.sock"))


@pytest.fixture
def listening():
    opened: list[Listening] = []

    def open_(spec: str) -> Listening:
        opened.append(listen(spec))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()


@pytest.mark.parametrize(
    ("spec", "bind"),
    [
        ("0.0.0.0:5000", TcpBind("0.0.0.0", 5000)),
        ("localhost:0", TcpBind("localhost", 0)),
        ("[::]:5000", TcpBind("::", 5000)),
        ("127.0.0.1:65535", TcpBind("127.0.0.1", 65535)),
        ("unix:/run/pyproxy.sock", UNIX),
    ],
)
def test_parse_bind(spec, bind):
    assert parse_bind(spec) == bind


@pytest.mark.parametrize(
    "spec",
    ["", ":5000", "5000", "0.0.0.0", "::1:5000", "[::]", "[::]5000", "a:b", "a:65536", "a:-1",
     "a: 1", "unix:", "http://a:1", "a/b:1", "[localhost]:1", "[1:2]:3", "a:1\n"],
)  # fmt: skip
def test_parse_bind_refuses(spec):
    with pytest.raises(ConfigurationError, match=r"must be an address|IPv6|IPv4"):
        parse_bind(spec)


def test_a_free_port_is_chosen_and_told(listening):
    each = listening("127.0.0.1:0")

    with socket.create_connection(("127.0.0.1", each.port)):
        assert each.port > 0
    assert all(not sock.getblocking() for sock in each.sockets)


def test_a_name_is_listened_on_at_one_port_for_all_its_addresses(listening):
    each = listening("localhost:0")

    assert {sock.getsockname()[1] for sock in each.sockets} == {each.port}


def test_ipv6_is_apart_from_ipv4(listening):
    v4 = listening("0.0.0.0:0")
    v6 = listening(f"[::]:{v4.port}")

    assert v6.port == v4.port
    assert v6.sockets[0].getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)


def test_a_port_is_free_again_after_close():
    first = listen("127.0.0.1:0")
    port = first.port
    first.close()

    listen(f"127.0.0.1:{port}").close()


def test_a_taken_port_is_said_to_be_taken(listening):
    port = listening("127.0.0.1:0").port

    with pytest.raises(ConfigurationError, match=f"^127.0.0.1:{port}: is taken"):
        listen(f"127.0.0.1:{port}")


V4 = (socket.AF_INET, ("127.0.0.1", 0))
V6 = (socket.AF_INET6, ("::1", 0, 0, 0))
NOT_HERE = (socket.AF_INET6, ("2001:db8::1", 0, 0, 0))


def test_all_addresses_of_a_name_share_the_port_that_was_chosen():
    sockets = _listen_tcp([V4, V6], 0)

    ports = {each.getsockname()[1] for each in sockets}
    for each in sockets:
        each.close()

    assert len(sockets) == 2
    assert len(ports) == 1


def test_no_socket_stays_open_when_one_address_of_a_name_is_taken(listening):
    port = listening("[::1]:0").port

    with pytest.raises(OSError, match="in use"):
        _listen_tcp([V4, V6], port)
    listen(f"127.0.0.1:{port}").close()


def test_a_name_may_have_an_address_that_this_machine_lacks():
    [only] = _listen_tcp([V4, NOT_HERE], 0)

    assert only.family == socket.AF_INET
    only.close()


def test_a_name_must_have_one_address_of_this_machine():
    with pytest.raises(OSError, match="assign requested address"):
        _listen_tcp([NOT_HERE], 0)


def test_another_machines_address_is_told():
    with pytest.raises(ConfigurationError, match="not an address of this machine"):
        listen("192.0.2.1:0")


def test_a_name_of_nobody_is_told():
    with pytest.raises(ConfigurationError, match="cannot be resolved"):
        listen("nobody.invalid:0")


def test_a_unix_socket_is_for_owner_and_group(listening, tmp_path):
    path = tmp_path / "x.sock"
    each = listening(f"unix:{path}")

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert each.port == 0


def test_a_unix_socket_is_removed_at_the_end(tmp_path):
    path = tmp_path / "x.sock"
    each = listen(f"unix:{path}")

    each.close()
    each.close()

    assert not path.exists()


def test_a_successors_unix_socket_stays(tmp_path):
    path = tmp_path / "x.sock"
    each = listen(f"unix:{path}")
    path.rename(tmp_path / "moved")  # keeps its inode from being used again
    path.touch()

    each.close()

    assert path.exists()


def test_a_unix_socket_removed_by_others_is_no_trouble(tmp_path):
    path = tmp_path / "x.sock"
    each = listen(f"unix:{path}")
    path.unlink()

    each.close()

    assert not path.exists()


def test_a_dead_process_unix_socket_is_replaced(listening, tmp_path):
    path = tmp_path / "x.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    listening(f"unix:{path}")

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_living_process_unix_socket_is_left_alone(listening, tmp_path):
    path = tmp_path / "x.sock"
    listening(f"unix:{path}")

    with pytest.raises(ConfigurationError, match="is taken"):
        listen(f"unix:{path}")
    assert path.exists()


def test_a_process_too_busy_to_answer_still_counts_as_living(tmp_path):
    path = tmp_path / "x.sock"
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(path))
        busy.listen(0)
        waiting.connect(str(path))

        with pytest.raises(ConfigurationError, match="is taken"):
            listen(f"unix:{path}")


def test_a_file_that_is_no_socket_is_never_replaced(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("dear diary")

    with pytest.raises(ConfigurationError, match="is not a socket"):
        listen(f"unix:{path}")
    assert path.read_text() == "dear diary"


@pytest.mark.parametrize("name", ["missing/x.sock", "x" * 120], ids=["no folder", "too long"])
def test_a_unix_path_that_cannot_be_is_told(tmp_path, name):
    with pytest.raises(ConfigurationError, match="cannot be listened on: "):
        listen(f"unix:{tmp_path / name}")


@pytest.mark.parametrize(
    ("bind", "code", "sentence"),
    [
        pytest.param(TCP, errno.EACCES, "take a port from 1024 up", id="port below 1024"),
        pytest.param(TCP, errno.EPERM, "take a port from 1024 up", id="sandbox"),
        pytest.param(UNIX, errno.EACCES, "cannot be listened on: nope", id="folder of others"),
        pytest.param(TCP, errno.EAFNOSUPPORT, "not an address of this", id="no IPv6"),
        pytest.param(TCP, errno.EMFILE, "cannot be listened on: nope", id="anything else"),
    ],
)
def test_sentence(bind, code, sentence):
    assert sentence in _sentence(bind, OSError(code, "Nope"))


def test_a_place_for_a_unix_socket_is_judged_before_one_is_made(tmp_path):
    longest = "x" * (107 - len(str(tmp_path)) - 1)

    assert unplaced(f"unix:{tmp_path}/{longest}") is None
    assert unplaced("unix:here.sock") is None
    assert unplaced("192.0.2.1:1") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        pytest.param("{}/missing/a.sock", "{}/missing: no such folder: .*", id="missing"),
        pytest.param("{}/file/a.sock", "{}/file: no such folder: .*", id="a file"),
        pytest.param("{}/" + 200 * "x", "is too long: .* at most 107 bytes", id="too long"),
        pytest.param("x" * 300 + "/a", "is too long: .* at most 107 bytes", id="name too long"),
    ],
)
def test_a_place_where_no_unix_socket_can_be_is_told(tmp_path, path, problem):
    (tmp_path / "file").touch()
    spec = "unix:" + path.format(tmp_path)

    fault = unplaced(spec)

    assert fault is not None
    assert fault.path == spec
    assert re.fullmatch(problem.format(re.escape(str(tmp_path))), fault.problem)
