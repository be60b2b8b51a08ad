"""Which models a route lets through, and what a URL says of the one that is asked for."""

from dataclasses import dataclass
from typing import Final

from pyproxy.errors.refusal import ModelNotAllowed
from pyproxy.models.key import ModelKey
from pyproxy.models.name import Unreadable, one_model
from pyproxy.models.place import ModelPlace, query_model
from pyproxy.routing.pattern import Patterns
from pyproxy.wire.head import RequestHead

_BODILESS: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"DELETE"})
# RFC 6455 section 4.1.
_HANDSHAKE: Final = frozenset({b"upgrade", b"sec-websocket-key", b"sec-websocket-version"})
# To servers that know one of these, it says what the method is.
_OVERRIDES: Final = frozenset({b"x-http-method-override", b"x-http-method", b"x-method-override"})


@dataclass(frozen=True, slots=True)
class ModelRules:
    """Which models a route lets through.

    Attributes:
        place: Where the provider's requests name theirs.
        key: Of JSON bodies, compiled.
        allowed: Patterns.
        peek: Bytes of a body that are held until its model is known; what is longer goes up
            as it comes, all but its end.
    """

    place: ModelPlace
    key: ModelKey
    allowed: Patterns
    peek: int

    def judge(self, model: str) -> str:
        """The model, if it is allowed.

        Raises:
            ModelNotAllowed: It is not.
        """
        if not self.allowed.matches(model):
            raise ModelNotAllowed.because(
                "the one asked for is not among them", f"the model {model}"
            )
        return model

    def named(self, path: bytes, query: bytes | None, *, is_upgrade: bool) -> str | None:
        """The model that a URL names; ``None``: if at all, the body does.

        Args:
            path: As the upstream gets it.
            query: Likewise.
            is_upgrade: The request asks for another protocol, whose messages are not read.

        Raises:
            ModelNotAllowed: It is not allowed, or can be read in two ways, or is known to
                the other protocol alone.
        """
        if is_upgrade and self.place.sockets.fullmatch(path) is None:
            raise ModelNotAllowed.because("a change of protocol whose messages may name a model")
        try:
            model = self.place.in_path(path)
            if is_upgrade:
                model = self._agreed(model, query)
        except Unreadable as exc:
            raise ModelNotAllowed.because(str(exc)) from exc
        if model is None and is_upgrade:
            raise ModelNotAllowed.because("a change of protocol whose URL names no model")
        return None if model is None else self.judge(model)

    def _agreed(self, model: str | None, query: bytes | None) -> str | None:
        """The model of a path, or of a query, or of both.

        Raises:
            Unreadable: They differ.
        """
        asked = query_model(query or b"", self.place.parameters)
        return model if asked is None else one_model(model, asked)

    def judge_unseen(
        self, method: bytes, path: bytes, query: bytes | None, head: RequestHead
    ) -> None:
        """Judge a request of which the URL and most fields are known.

        Args:
            method: Its own.
            path: As the upstream gets it.
            query: Likewise.
            head: Of the question; ``Upgrade`` ends at who asks, the rest of a handshake is here.

        Raises:
            ModelNotAllowed: Its model is not allowed, or only its body could say.
        """
        is_upgrade = not _HANDSHAKE.isdisjoint(head.index)
        model = self.named(path, query, is_upgrade=is_upgrade)
        if model is None and not (method in _BODILESS and _OVERRIDES.isdisjoint(head.index)):
            raise ModelNotAllowed.because("the model is in a body that was not shown to us")
