"""What a contender needs to be started, and what load needs to know of it."""

import json
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Self

from bench.credentials import Credentials
from bench.stage import Stage, free_port

_ANSWER_S = 30.0
_QUESTION = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]})


class Missing(Exception):
    """Something is not installed; the message says what, and how to get it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What every contender is given.

    Attributes:
        stage: Starts its processes.
        credentials: Files and secrets.
        origin: Port of the upstream on loopback.
        peers: Virtual environment of what pyproxy is compared with.
    """

    stage: Stage
    credentials: Credentials
    origin: int
    peers: Path

    @classmethod
    def make(cls, stage: Stage, peers: Path) -> Self:
        """Write the credentials and start the origin."""
        credentials, origin = Credentials.make(stage.folder), free_port()
        command = [sys.executable, "-m", "bench.origin", str(origin)]
        stage.start("origin", command, origin, stage.load_cpu)
        return cls(stage, credentials, origin, peers)


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that listens.

    Attributes:
        name: In the report.
        version: As it says itself.
        port: On loopback.
        processes: Names of its processes on the stage; their CPU time is its.
        accepts: Credentials that let in, by kind; what is missing it cannot do.
        is_guarded: Refuses who brings none.
        is_tls: Speaks TLS.
        is_transparent: Passes any path on, not just those of the APIs it knows.
        path: Where it takes small requests.
    """

    name: str
    version: str
    port: int
    processes: tuple[str, ...]
    accepts: Mapping[str, str]
    is_guarded: bool = True
    is_tls: bool = True
    is_transparent: bool = True
    path: str = "/v1/chat/completions"

    @property
    def url(self) -> str:
        """Without a path."""
        return f"{'https' if self.is_tls else 'http'}://127.0.0.1:{self.port}"


def faults_of(contender: Contender, authority: Path) -> list[str]:
    """What it does otherwise than it must: to be fast at the wrong thing is no merit."""
    faults = []
    expected = {kind: (token, 200) for kind, token in contender.accepts.items()}
    if contender.is_guarded:
        expected |= {"no credential": ("", 401), "a wrong one": ("sk-wrong-0123456789", 401)}
    for kind, (token, status) in expected.items():
        answer = _ask(contender, token, authority)
        if answer != status:
            faults.append(f"{contender.name} answers {answer} to {kind}, not {status}")
    return faults


def _ask(contender: Contender, token: str, authority: Path) -> int:
    connection = HTTPConnection("127.0.0.1", contender.port, timeout=_ANSWER_S)
    if contender.is_tls:
        context = ssl.create_default_context(cafile=authority)
        connection = HTTPSConnection(
            "127.0.0.1", contender.port, timeout=_ANSWER_S, context=context
        )
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request("POST", contender.path, _QUESTION, headers)
        return connection.getresponse().status
    finally:
        connection.close()
