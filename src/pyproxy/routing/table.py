"""Which route takes a request: by longest path, then by the file's order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pyproxy.errors.refusal import BadRequest, NotFound
from pyproxy.routing.choice import Choice, Entry, Match
from pyproxy.routing.spelling import PLAIN, decoded_but_slashes, folded, readings_and_climbs
from pyproxy.wire.syntax import Malformed
from pyproxy.wire.target import read_host

T = TypeVar("T")

# The host key of routes that name no host. No Host field reads as an empty name.
ANY_HOST = b""


@dataclass(frozen=True, slots=True)
class Table(Generic[T]):
    """Every route, ready to be asked; built by ``Table.build``.

    A request costs one dictionary look-up a path segment, and no more than the
    deepest route has; if routes name hosts, also one a label of its Host. The
    number of routes does not enter.

    Attributes:
        depth: Segments of the deepest route's path.
        nodes: By path prefix, then by host pattern.
        is_host_blind: No route names a host.
        prefixes: Those of the routes by their folded spelling.
    """

    depth: int
    nodes: dict[bytes, dict[bytes, Choice[T]]]
    is_host_blind: bool
    prefixes: dict[str, list[bytes]]

    @classmethod
    def build(cls, entries: Iterable[Entry[T]]) -> "Table[T]":
        """Compile routes, given in the order of the file."""
        by_prefix: dict[bytes, list[Entry[T]]] = {}
        for entry in entries:
            by_prefix.setdefault(entry.prefix, []).append(entry)
        nodes = {prefix: _node(found) for prefix, found in by_prefix.items()}
        prefixes: dict[str, list[bytes]] = {}
        for prefix in nodes:
            prefixes.setdefault(folded(prefix.decode()), []).append(prefix)
        return cls(
            depth=max((prefix.count(b"/") for prefix in nodes), default=0),
            nodes=nodes,
            is_host_blind=all(node.keys() == {ANY_HOST} for node in nodes.values()),
            prefixes=prefixes,
        )

    def match(self, host: bytes, path: bytes, method: bytes) -> Match[T]:
        """The route that takes a request.

        A route's path takes whole segments: ``/openai`` takes ``/openai`` and
        ``/openai/x``, not ``/openaix``. Escapes make no difference. Among the
        routes whose host fits, the longest path wins and only then is the
        method looked at, so that no method slips through to a shorter path
        which may be open or lead elsewhere.

        A path that some server would take for another route's is refused:
        ``/admin;x/users`` is not below ``/admin`` here, and is where parameters
        are cut off before anybody looks. So are ``/Admin``, ``/admin%2Fusers``
        and ``/v1/%252e%252e/admin``; ``/v1/a%252F..%252Fb`` does not leave its route.

        Args:
            host: Of the Host field or the absolute target; a port is ignored.
            path: As sent, without its query.
            method: As sent.

        Raises:
            NotFound: No path and host fits.
            MethodNotAllowed: They fit, and their routes do not take the method.
            BadRequest: Read in another way it is another route's path.
        """
        names = (ANY_HOST,) if self.is_host_blind else _host_keys(host)
        if not self.depth or PLAIN.fullmatch(path):
            choice = self._find(names, path)
        else:
            is_escaped = b"%" in path
            path = decoded_but_slashes(path)
            choice = self._find(names, path)
            if choice is not None or is_escaped:
                self._check_readings(names, path, choice)
        if choice is None:
            raise NotFound("no route takes this path and host")
        return choice.of(method)

    def _check_readings(
        self, names: tuple[bytes, ...], path: bytes, choice: Choice[T] | None
    ) -> None:
        try:
            forms, climbs = readings_and_climbs(path)
        except Malformed as exc:
            raise BadRequest(str(exc)) from exc
        for form in forms | climbs:
            rivals = self._rivals(names, form)
            if (rivals or form in climbs) and not any(rival is choice for rival in rivals):
                raise BadRequest("read in another way, the path is another route's")

    def _rivals(self, names: tuple[bytes, ...], form: str) -> list[Choice[T]]:
        """What takes a folded path; several where routes differ in nothing but case."""
        form = form.rstrip("/")
        while True:
            nodes = [self.nodes[prefix] for prefix in self.prefixes.get(form or "/", ())]
            found = [choice for node in nodes if (choice := _first(node, names)) is not None]
            if found or not form:
                return found
            form = form.rpartition("/")[0]

    def _find(self, names: tuple[bytes, ...], path: bytes) -> Choice[T] | None:
        if not self.depth:
            path = b""
        elif path.count(b"/") > self.depth:
            path = b"/".join(path.split(b"/", self.depth + 1)[:-1])
        while True:
            node = self.nodes.get(path)
            if node is not None:
                choice = _first(node, names)
                if choice is not None:
                    return choice
            if not path:
                return None
            path = path.rpartition(b"/")[0]


def _first(node: dict[bytes, Choice[T]], names: tuple[bytes, ...]) -> Choice[T] | None:
    for name in names:
        choice = node.get(name)
        if choice is not None:
            return choice
    return None


def _host_keys(host: bytes) -> tuple[bytes, ...]:
    """The keys under which a host's routes stand, most specific first."""
    if not host:
        return (ANY_HOST,)
    try:
        name = read_host(host).rstrip(b".")
    except Malformed as exc:
        raise BadRequest(str(exc)) from exc
    return (name, *_wildcards(name), ANY_HOST)


def _wildcards(name: bytes) -> list[bytes]:
    """``a.b.c`` is under ``.b.c`` and ``.c``, the keys of ``*.b.c`` and ``*.c``."""
    labels = name.split(b".")
    return [b"." + b".".join(labels[start:]) for start in range(1, len(labels))]


def _node(entries: list[Entry[T]]) -> dict[bytes, Choice[T]]:
    """One prefix's routes by host key.

    The routes of a key are those of every key that covers it too, in the file's
    order, so that the first key found has the whole answer.
    """
    keys = {key for entry in entries for key in entry.host_keys}
    return {key: Choice.among([e for e in entries if _covers(e, key)]) for key in keys}


def _covers(entry: Entry[T], key: bytes) -> bool:
    labels = key.removeprefix(b".")
    wider = (key, *_wildcards(labels), ANY_HOST)
    return any(pattern in entry.host_keys for pattern in wider)
