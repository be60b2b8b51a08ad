"""The routes that share a path and a host, told apart by method."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pyproxy.errors.refusal import MethodNotAllowed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One route as the table needs it; ``Entry.of`` makes it from settings.

    Attributes:
        prefix: Path without a slash at its end; ``b""`` takes every path.
        host_keys: Lower-case names; ``*.example.com`` as ``.example.com``;
            a single ``b""`` takes every host.
        methods: Empty: every method.
        value: What a match gives.
    """

    prefix: bytes
    host_keys: tuple[bytes, ...]
    methods: tuple[bytes, ...]
    value: T

    @classmethod
    def of(cls, path: str, hosts: Sequence[str], methods: Sequence[str], value: T) -> "Entry[T]":
        """An entry from a route's settings.

        Args:
            path: Starts with ``/``; one at its end makes no difference.
            hosts: Names, or ``*.name`` for all names below it; empty: any.
            methods: Empty: any. ``GET`` brings ``HEAD`` (RFC 9110 section 9.3.2).
            value: What a match gives.
        """
        return cls(
            prefix=path.rstrip("/").encode(),
            host_keys=tuple(_host_key(host) for host in hosts) or (b"",),
            methods=_with_head(tuple(method.encode() for method in methods)),
            value=value,
        )


@dataclass(frozen=True, slots=True)
class Match(Generic[T]):
    """What takes a request; made once a route, not once a request.

    Attributes:
        value: The route's.
        prefix: The route's path, without a slash at its end.
    """

    value: T
    prefix: bytes

    def rest(self, path: bytes) -> bytes:
        """What is left of a matched path when the route's is removed, as sent.

        Args:
            path: The path that was matched, in whatever spelling it came.

        Returns:
            At least ``/``.
        """
        if path.startswith(self.prefix):
            return path[len(self.prefix) :] or b"/"
        # Spelled with escapes: as many segments as the prefix has are its own.
        segments = path.split(b"/", self.prefix.count(b"/") + 1)
        return b"/" + segments[-1] if len(segments) > self.prefix.count(b"/") + 1 else b"/"


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """Routes of one path and host pattern; ``Choice.among`` makes it.

    Attributes:
        by_method: What takes the methods that are named.
        otherwise: What takes the others, if anything does.
        allow: The Allow field's value when nothing does.
    """

    by_method: dict[bytes, Match[T]]
    otherwise: Match[T] | None
    allow: bytes

    @classmethod
    def among(cls, entries: Sequence[Entry[T]]) -> "Choice[T]":
        """The first entry that takes a method has it."""
        by_method: dict[bytes, Match[T]] = {}
        for entry in entries:
            match = Match(entry.value, entry.prefix)
            if not entry.methods:
                return cls(by_method, match, b"")
            for method in entry.methods:
                by_method.setdefault(method, match)
        return cls(by_method, None, b", ".join(sorted(by_method)))

    def of(self, method: bytes) -> Match[T]:
        """What takes ``method``.

        Raises:
            MethodNotAllowed: Nothing does; carries Allow (RFC 9110 section 15.5.6).
        """
        match = self.by_method.get(method, self.otherwise)
        if match is None:
            raise MethodNotAllowed("no route here takes this method", fields=self._allow_field())
        return match

    def _allow_field(self) -> tuple[tuple[bytes, bytes], ...]:
        return ((b"Allow", self.allow),)


def _host_key(host: str) -> bytes:
    return (
        host.lower().removeprefix("*").rstrip(".").encode("idna" if not host.isascii() else "ascii")
    )


def _with_head(methods: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return (*methods, b"HEAD") if b"GET" in methods and b"HEAD" not in methods else methods
