"""Sockets that were there before the gateway: which are taken, and what is said of the others."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pyproxy.errors.fault import ConfigurationError
from pyproxy.runtime.inherited import Heirloom, Inherited, _adopt

TAKEN = "is inherited, and no listener is bound there"
PROGRAM = """
import os, sys
from pyproxy.runtime.inherited import Inherited
os.environ["LISTEN_PID"] = os.environ.get("LISTEN_PID") or str(os.getpid())
inherited = Inherited.take(os.environ, os.getpid())
print([name for name in os.environ if name.startswith("LISTEN_")])
for each in inherited.heirlooms:
    print(each.name, each.sock.get_inheritable(), each.sock.getblocking())
for each in inherited.remarks:
    print(each)
"""


@pytest.fixture
def sockets():
    """Makes sockets, and closes them at the end."""
    made = []

    def make(family=socket.AF_INET, address=("127.0.0.1", 0), kind=socket.SOCK_STREAM, dual=False):
        fresh = socket.socket(family, kind)
        made.append(fresh)
        if family == socket.AF_INET6:
            fresh.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual)
        fresh.bind(address)
        if kind == socket.SOCK_STREAM:
            fresh.listen()
        return fresh

    yield make
    for each in made:
        each.close()


def inheriting(*given, names=""):
    """What a process takes that has these sockets; it may close them, and these stay."""
    found = [
        _adopt(each.dup().detach(), name)
        for each, name in zip(given, names.split(":") + [""] * len(given), strict=False)
    ]
    heirlooms = [each for each in found if isinstance(each, Heirloom)]
    return Inherited(heirlooms, tuple(each for each in found if not isinstance(each, Heirloom)))


def spec(sock):
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def run(*descriptors, **environ):
    """What a process says that has such descriptors from 3 on."""
    path = {"PYTHONPATH": os.pathsep.join(map(str, sys.path)), **environ}
    dup = "; ".join(f"os.dup2({each}, {3 + n})" for n, each in enumerate(descriptors)) or "pass"
    order = f"import os; {dup}; {PROGRAM}"
    done = subprocess.run(
        [sys.executable, "-c", order],
        pass_fds=descriptors,
        env=path,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_descriptors_are_taken_over_and_hidden_from_children(sockets, tmp_path):
    tcp, unix = sockets(), sockets(socket.AF_UNIX, str(tmp_path / "s"))
    high = [os.dup(each.fileno()) for each in (tcp, unix)]
    moved = [os.dup2(each, 50 + n) for n, each in enumerate(high)]

    said = run(*moved, LISTEN_FDS="2", LISTEN_FDNAMES="web")

    assert said == [
        "[]",
        f"{spec(tcp)} (descriptor 3, web) False False",
        f"unix:{tmp_path / 's'} (descriptor 4) False False",
    ]
    for each in (*high, *moved):
        os.close(each)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        pytest.param({}, [], id="nobody gave any"),
        pytest.param({"LISTEN_FDS": "1", "LISTEN_PID": "1"}, [], id="for another process"),
        pytest.param({"LISTEN_FDS": "0"}, [], id="none"),
        pytest.param(
            {"LISTEN_FDS": "many"},
            ["LISTEN_FDS: is 'many', no number up to 1024: no socket is inherited"],
            id="no number",
        ),
        pytest.param(
            {"LISTEN_FDS": "9" * 5000},
            [f"LISTEN_FDS: is '{'9' * 100}', no number up to 1024: no socket is inherited"],
            id="more digits than Python reads",
        ),
        pytest.param(
            {"LISTEN_FDS": "\u0663"},
            ["LISTEN_FDS: is '\u0663', no number up to 1024: no socket is inherited"],
            id="three, in Arabic",
        ),
        pytest.param(
            {"LISTEN_FDS": "1"},
            ["descriptor 3: is named by LISTEN_FDS, and not open"],
            id="not open",
        ),
    ],
)
def test_nothing_is_taken_that_was_not_given(environ, said):
    assert run(**environ) == ["[]", *said]


def test_what_cannot_be_served_is_closed_and_said(sockets, tmp_path):
    datagrams = sockets(kind=socket.SOCK_DGRAM)
    with (tmp_path / "file").open("wb") as file, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))

        for each in (datagrams, deaf, file):
            fd = os.dup(each.fileno())
            fault = _adopt(fd, "odd")
            assert str(fault) == (
                f"descriptor {fd}, odd: is inherited, and no stream socket that listens: "
                "it was closed"
            )
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(fd)


def test_a_socket_for_both_families_is_refused_because_ipv4_clients_would_be_unknown(sockets):
    dual = sockets(socket.AF_INET6, ("::", 0), dual=True)

    inherited = inheriting(dual)

    assert not inherited.heirlooms
    assert "set BindIPv6Only=ipv6-only in the socket unit" in str(inherited.remarks[0])


# --- Listeners


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")], ids=["4", "6"]
)
def test_a_listener_takes_the_socket_of_its_address(sockets, family, host):
    given = sockets(family, (host, 0))
    inherited = inheriting(given)

    listening = inherited.listen(spec(given))

    assert listening.bound == ()
    assert [each.getsockname() for each in listening.sockets] == [given.getsockname()]
    assert inherited.settle([listening]) == ()
    listening.close()
    inherited.close()


def test_a_name_takes_what_there_is_and_binds_the_rest(sockets):
    given = sockets()
    inherited = inheriting(given)

    listening = inherited.listen(f"localhost:{given.getsockname()[1]}")

    assert given.getsockname() in [each.getsockname() for each in listening.sockets]
    assert len(listening.bound) == len(listening.sockets) - 1
    assert all("was bound as usual" in str(each) for each in inherited.settle([listening]))
    listening.close()
    inherited.close()


def test_an_inherited_unix_socket_is_never_removed(sockets, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    path = tmp_path / "s"
    inherited = inheriting(sockets(socket.AF_UNIX, str(path)))

    listening = inherited.listen(f"unix:{tmp_path / 'link' / 's'}")
    listening.close()
    inherited.close()

    assert path.is_socket()
    assert listening.bound == ()


def test_a_unix_socket_for_every_user_of_the_machine_is_said(sockets, tmp_path):
    path = tmp_path / "s"
    inherited = inheriting(sockets(socket.AF_UNIX, str(path)))
    listening = inherited.listen(f"unix:{path}")

    path.chmod(0o666)
    [remark] = inherited.settle([listening])
    path.chmod(0o660)
    assert inherited.settle([listening]) == ()
    path.unlink()
    assert inherited.settle([], [listening]) == ()

    assert str(remark).startswith(f"unix:{path} (descriptor")
    assert "SocketMode=0660" in str(remark)
    listening.close()
    inherited.close()


def test_what_no_listener_wants_is_closed_and_said(sockets):
    wanted, unwanted = sockets(), sockets()
    inherited = inheriting(wanted, unwanted, names="web:other")
    listening = inherited.listen(spec(wanted))

    [remark] = inherited.settle([listening])

    assert TAKEN in str(remark)
    assert f"{spec(unwanted)} (descriptor" in str(remark)
    assert ", other)" in str(remark)
    assert [each.name for each in inherited.heirlooms] != []
    assert inherited.find(socket.AF_INET, unwanted.getsockname()) == []
    listening.close()
    inherited.close()


def test_a_listener_without_an_inherited_socket_is_bound_and_said(sockets):
    given = sockets()
    inherited = inheriting(given)
    first, second = inherited.listen(spec(given)), inherited.listen("127.0.0.1:0")

    assert inherited.settle([first], [second]) == ()
    [remark] = inherited.settle([first, second])

    assert str(remark).startswith(f"127.0.0.1:0: 127.0.0.1:{second.port} is none of the inherited")
    assert second.bound == second.sockets
    for each in (first, second, inherited):
        each.close()


def test_a_listener_that_was_taken_out_finds_its_socket_again(sockets):
    given = sockets()
    inherited = inheriting(given)
    first = inherited.listen(spec(given))
    assert inherited.settle([first]) == ()
    first.close()

    [idle] = inherited.settle([])
    again = inherited.listen(spec(given))

    assert "no listener is bound there any more" in str(idle)
    assert again.bound == ()
    assert inherited.settle([again]) == ()
    again.close()
    inherited.close()


def test_where_nothing_was_inherited_nothing_is_said():
    inherited = Inherited()
    listening = inherited.listen("127.0.0.1:0")

    assert inherited.settle([listening]) == ()
    listening.close()
    with pytest.raises(ConfigurationError, match=r"cannot be resolved$"):
        inherited.listen("nobody.invalid:1")


def test_a_failure_says_what_was_inherited_instead(sockets):
    given = sockets()
    port = given.getsockname()[1]
    inherited = inheriting(given, sockets(kind=socket.SOCK_DGRAM))

    with pytest.raises(ConfigurationError) as caught:
        inherited.listen(f"0.0.0.0:{port}")
    inherited.close()

    [taken, odd] = map(str, caught.value.faults)
    assert f"; inherited: 127.0.0.1:{port} (descriptor" in taken
    assert "no stream socket" in odd
    with pytest.raises(ConfigurationError, match="inherited: none that can be served"):
        inherited.listen(f"0.0.0.0:{port}")


def test_an_abstract_unix_socket_is_nobodys(sockets):
    given = sockets(socket.AF_UNIX, f"\0pyproxy-test-{os.getpid()}")
    inherited = inheriting(given)

    assert inherited.find(socket.AF_UNIX, str(Path("pyproxy-test"))) == []
    [remark] = inherited.settle([])
    assert "unix:" in str(remark)


def test_a_path_that_has_become_a_circle_of_links_is_no_reason_to_fail(sockets, tmp_path):
    path = tmp_path / "s"
    unix = sockets(socket.AF_UNIX, str(path))
    path.unlink()
    path.symlink_to(path)

    inherited = inheriting(unix)

    assert len(inherited.heirlooms) == 1
    inherited.close()
