"""Where the shared store is: memory, one Redis, sentinels that know it, or a cluster."""

import re
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, Self

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from pyproxy.config.secret import HIDDEN, LITERAL, Secret, references
from pyproxy.config.surroundings import Surroundings, surroundings
from pyproxy.wire.percent import percent_decoded

Kind = Literal["memory", "redis", "sentinel", "cluster"]

MEMORY: Final = "memory:"
_SCHEMES: Final[dict[str, tuple[Kind, bool]]] = {
    "redis": ("redis", False),
    "rediss": ("redis", True),
    "unix": ("redis", False),
    "redis+unix": ("redis", False),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
}
_PORTS: Final[dict[Kind, int]] = {"redis": 6379, "sentinel": 26379, "cluster": 6379}
_HIGHEST_PORT: Final = 65535
_HIGHEST_DATABASE: Final = 1_000_000  # Redis itself has 16 unless told otherwise
_A_STORE: Final = (
    'must be "memory:", or a URL such as "redis://HOST:6379/0", "rediss://USER:PASSWORD@HOST", '
    '"redis+sentinel://HOST,HOST/MASTER" or "redis+cluster://HOST,HOST"'
)
_CREDENTIALS: Final = re.compile(
    r"(?P<user>(?:[^%:@/?#\x00-\x20\x7f-\U0010ffff]|%[0-9A-Fa-f]{2})*)"
    r"(?::(?P<password>(?:[^%@/?#\x00-\x20\x7f-\U0010ffff]|%[0-9A-Fa-f]{2})*))?"
)
_NODE: Final = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?", re.ASCII
)
_MASTER: Final = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_SOCKET: Final = re.compile(r"/[^?#\x00-\x1f\x7f]+")
_NUMBER: Final = re.compile(r"[0-9]{1,7}", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """A store, and what it is shown; neither user nor password ever print.

    Attributes:
        kind: What answers there.
        is_tls: Its certificate and name are verified always.
        nodes: Hosts and ports: of the server, the sentinels, or some of the cluster.
        path: Of a unix socket, instead of nodes.
        database: Its number; 0 in a cluster.
        master: The name that sentinels know the server by.
        user: An ACL user (Redis 6); ``""``: the default one.
        password: If it wants one.
        origin: Where the setting is from, as ``Secret`` has it; safe to show.
    """

    kind: Kind = "memory"
    is_tls: bool = False
    nodes: tuple[tuple[str, int], ...] = ()
    path: str = ""
    database: int = 0
    master: str = ""
    user: str = field(default="", repr=False)
    password: Secret | None = None
    origin: str = field(default=LITERAL, compare=False)

    @classmethod
    def parse(cls, value: object, around: Surroundings) -> Self:
        """Read the setting: a URL, in one of the forms that a secret has.

        Raises:
            ValueError: Anything else; the sentence repeats nothing of the URL.
        """
        if isinstance(value, cls):
            return value
        secret = Secret.parse(value, around)
        url = secret.reveal()
        if url == MEMORY:
            return cls(origin=secret.origin)
        scheme, found, rest = url.partition("://")
        if not found or scheme.lower() not in _SCHEMES:
            raise ValueError(_A_STORE)
        rest, _, query = rest.partition("?")
        credentials, at, place = rest.rpartition("@")
        user, password = _credentials(credentials) if at else ("", "")
        kind, is_tls = _SCHEMES[scheme.lower()]
        shown = Secret(password, secret.origin) if password else None
        if "unix" in scheme.lower():
            return cls(
                path=_socket(place), database=_database(query.removeprefix("db=")),
                kind=kind, user=user, password=shown, origin=secret.origin,
            )  # fmt: skip
        if query:
            raise ValueError(_about_query(query))
        nodes, _, path = place.partition("/")
        master, database = _path(kind, path)
        return cls(
            kind, is_tls, _nodes(kind, nodes), "", database, master, user, shown, secret.origin
        )

    @property
    def is_memory(self) -> bool:
        """Nothing is shared with other machines."""
        return self.kind == "memory"

    @property
    def name(self) -> str:
        """Kind and place, for people; no credentials."""
        if self.path:
            return f"unix:{self.path}"
        places = ",".join(f"[{h}]:{p}" if ":" in h else f"{h}:{p}" for h, p in self.nodes)
        return f"{self.master}@{places}" if self.master else places

    def __str__(self) -> str:
        """Write it as a URL, stars for its credentials."""
        if self.is_memory:
            return MEMORY
        shown = f"{HIDDEN}@" if self.user or self.password else ""
        if self.path:
            return f"redis+unix://{shown}{self.path}?db={self.database}"
        scheme = next(name for name, form in _SCHEMES.items() if form == (self.kind, self.is_tls))
        places = self.name.rpartition("@")[2]
        path = {"cluster": "", "sentinel": f"/{self.master}/{self.database}"}
        return f"{scheme}://{shown}{places}{path.get(self.kind, f'/{self.database}')}"


def _about_query(query: str) -> str:
    if "ssl" in query:
        return "has a query; what is said there of TLS is said by rediss:// and store.ca"
    return "has a query, which only a unix socket's URL may have, as ?db=0"


def _credentials(text: str) -> tuple[str, str]:
    found = _CREDENTIALS.fullmatch(text)
    if found is None:
        raise ValueError(
            "has a user or password with a character that must be percent-encoded there, "
            'as in "%40" for "@"'
        )
    parts = [percent_decoded((found[part] or "").encode()) for part in ("user", "password")]
    try:
        user, password = (part.decode() for part in parts)
    except UnicodeDecodeError:
        raise ValueError("has a user or password that is no UTF-8") from None
    if user and not password:
        raise ValueError('has a user without a password; write ":PASSWORD@" for a password alone')
    return user, password


def _nodes(kind: Kind, text: str) -> tuple[tuple[str, int], ...]:
    nodes = tuple(_node(part, _PORTS[kind]) for part in text.split(","))
    if kind == "redis" and len(nodes) > 1:
        raise ValueError(
            "names several hosts; write redis+sentinel:// or redis+cluster:// for what they are"
        )
    return nodes


def _node(text: str, default_port: int) -> tuple[str, int]:
    found = _NODE.fullmatch(text)
    if found is None:
        raise ValueError(_A_STORE)
    port = int(found["port"] or default_port)
    if not 0 < port <= _HIGHEST_PORT:
        raise ValueError(f"has a port outside 1 to {_HIGHEST_PORT}")
    return (found["v6"] or found["name"]).lower(), port


def _socket(text: str) -> str:
    if _SOCKET.fullmatch(text) is None:
        raise ValueError('needs the socket\'s absolute path, as in "unix:///run/redis.sock"')
    return text


def _path(kind: Kind, path: str) -> tuple[str, int]:
    """The sentinels' name of the server, and the database."""
    if kind == "redis":
        return "", _database(path)
    if kind == "cluster":
        if path not in {"", "0"}:
            raise ValueError("names a database, and a cluster has none but 0")
        return "", 0
    master, _, database = path.partition("/")
    if _MASTER.fullmatch(master) is None:
        raise ValueError('needs the master\'s name, as in "redis+sentinel://HOST:26379/mymaster"')
    return master, _database(database)


def _database(text: str) -> int:
    if text and (_NUMBER.fullmatch(text) is None or int(text) > _HIGHEST_DATABASE):
        raise ValueError("has a database that is no number")
    return int(text or "0")


def _setting(value: object, info: ValidationInfo) -> StoreAddress:
    return StoreAddress.parse(value, surroundings(info))


_PATTERN: Final = r"^memory:$|^(rediss?(\+sentinel|\+cluster)?|(redis\+)?unix)://|\$\{"

StoreUrl = Annotated[
    StoreAddress,
    PlainValidator(_setting),
    PlainSerializer(str, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": _PATTERN}, *references()]}),
]
"""A `StoreAddress`."""
