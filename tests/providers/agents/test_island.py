"""Where agents live: nothing but loopback, and one port of that."""

import sys

import pytest

from tests.providers.agents import agent, island
from tests.providers.agents.hop import recording


@pytest.fixture
def look(tmp_path):
    def look_(program):
        port = island.free_port()
        with recording(tmp_path / "hop", port) as hop:
            return agent.run([sys.executable, "-Sc", program], tmp_path / "home", hop, port, {})

    return look_


def test_an_agent_has_no_network_but_loopback(look):
    if not island.aboard():
        pytest.skip("this machine does not let us take a network away")

    ended = look("import socket; print(socket.if_nameindex())")

    assert (ended.code, ended.output) == (0, "[(1, 'lo')]\n")


def test_an_agent_inherits_nothing_but_a_path_and_a_home(look, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-somebodys-own")

    ended = look("import os; print(sorted(set(os.environ) - {'LC_CTYPE'}))")

    assert (ended.code, ended.output) == (0, "['HOME', 'PATH']\n")


def test_an_agents_exit_code_is_its_own(look):
    assert look("raise SystemExit(7)").code == 7
