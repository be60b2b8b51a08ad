"""Where requests of an API name their model; found here in a path or a query.

A path is judged as the upstream gets it. Who asks has refused dot segments, empty segments and
broken escapes before (``wire.target``).
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from pyproxy.models.name import Unreadable, core, one_model, plain_model
from pyproxy.wire.percent import percent_decoded

_ABOVE: Final = rb"(?:/[A-Za-z0-9._~@\-]++)*?"
# Decoded once, a path that all servers part alike: nothing to decode again, and none of
# the signs at which some end a path or a segment.
_PATH: Final = re.compile(rb"[!\"$&-:<->@-\[\]-~]++")
# A model, and what is to be done with it: no honest name has another sign.
_SEGMENT: Final = re.compile(rb"([A-Za-z0-9._~@+\-]++)(?::[A-Za-z]++)?+")
# Visible ASCII but what parts a query, is a space to some, or is to be decoded again.
_VALUE: Final = re.compile(rb"[!\"$'-*,-:<-~]++")


def _nowhere(path: bytes) -> str | None:
    del path
    return None


def sockets_at(*ends: bytes) -> re.Pattern[bytes]:
    """Matches paths that end so, nothing in them encoded; without an end, none."""
    return re.compile(_ABOVE + b"(?:" + b"|".join(ends) + b")" if ends else b"(?!)")


# Elsewhere messages name the model, as at `/v1/responses`.
REALTIME: Final = sockets_at(b"/realtime(?:/translations)?")


@dataclass(frozen=True, slots=True)
class ModelPlace:
    """Where an API's requests say which model they are for.

    Attributes:
        key: Of a JSON body's outermost object.
        in_path: Finds it in a path, where that names one; raises ``Unreadable``.
        parameters: Of the query, where a WebSocket is asked for; in lower case.
        sockets: Matches paths of which a WebSocket stays with the model of its URL, whatever
            is said over it.
        bare: Takes off what may stand before the name in a body.
    """

    key: str = "model"
    in_path: Callable[[bytes], str | None] = _nowhere
    parameters: tuple[str, ...] = ("model",)
    sockets: re.Pattern[bytes] = REALTIME
    bare: Callable[[str], str] = str


IN_BODY: Final = ModelPlace()
"""Of an API whose requests name their model in the body alone, as OpenAI's do."""


def query_model(query: bytes, names: Collection[str]) -> str | None:
    """The model that a query names, as those of WebSockets do; ``None``: it names none.

    OpenAI's has ``model``, Azure's ``deployment``, ElevenLabs' ``model_id``.

    Args:
        query: Still encoded, without its ``?``.
        names: Of the parameter, in lower case; all that occur must agree.

    Raises:
        Unreadable: It names several, or one in a way that servers may read differently.
    """
    model = None
    cores = {core(name) for name in names}
    for parameter in query.split(b"&"):
        # Some part at a semicolon too.
        for part in parameter.split(b";"):
            name, _, value = part.partition(b"=")
            if core(_decoded_name(name)) in cores:
                model = one_model(model, _value_of(name, value, names))
                if part != parameter:
                    raise Unreadable("a semicolon beside the model in the query")
    return model


def _decoded_name(name: bytes) -> str:
    decoded = percent_decoded(name)
    if b"%" in decoded:
        raise Unreadable("a query parameter's name is escaped twice")
    return decoded.decode("utf-8", "replace")


def _value_of(name: bytes, value: bytes, names: Collection[str]) -> str:
    decoded = percent_decoded(value)
    if _decoded_name(name) not in names:
        raise Unreadable("a query parameter's name is nearly the model's")
    if not _VALUE.fullmatch(decoded) or b"+" in value:
        raise Unreadable("the model in the query is no plain text")
    return plain_model(decoded.decode("ascii"))


def path_model(
    path: bytes, collections: frozenset[bytes], acting: frozenset[bytes] = frozenset()
) -> str | None:
    """The model in a path; ``None``: it names none, as a list of models.

    Args:
        path: Still encoded, without its query.
        collections: Segments behind which a model's name stands; in lower case.
        acting: Likewise, but of things that are models only where they are to do something.

    Raises:
        Unreadable: It names several, or one in a way that servers may read differently.
    """
    decoded = percent_decoded(path)
    if not _PATH.fullmatch(decoded) or decoded.count(b"/") != path.count(b"/"):
        raise Unreadable("the path may be read in different ways")
    model = None
    for name in _segments_behind(decoded, collections, acting):
        found = _SEGMENT.fullmatch(name)
        if found is None:
            raise Unreadable("the model in the path is no plain text")
        model = one_model(model, plain_model(found[1].decode("ascii")))
    return model


def _segments_behind(
    path: bytes, collections: frozenset[bytes], acting: frozenset[bytes]
) -> Iterator[bytes]:
    """Names in collections, and those of acting ones that are to do something."""
    segments = [segment for segment in path.split(b"/") if segment]
    for collection, name in pairwise(segments):
        folded = collection.lower()
        if folded in collections or (folded in acting and b":" in name):
            yield name
