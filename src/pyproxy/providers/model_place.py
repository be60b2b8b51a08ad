"""The model that a path or a query names, where a body does not.

A path is judged as the upstream gets it. Who asks has refused dot segments, empty segments and
broken escapes before (``wire.target``).
"""

import re
from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import Final

from pyproxy.providers.json_runs import core
from pyproxy.providers.model_name import Unreadable, one_model, plain_model
from pyproxy.wire.percent import percent_decoded

_GEMINI: Final = frozenset({b"models", b"tunedmodels"})
# Other things that generate, by a model of their own.
_GEMINI_ACTING: Final = frozenset({b"dynamic", b"endpoints"})
_AZURE: Final = frozenset({b"deployments"})
# Decoded once, a path that all servers part alike: nothing to decode again, and none of
# the signs at which some end a path or a segment.
_PATH: Final = re.compile(rb"[!\"$&-:<->@-\[\]-~]++")
# A model, and what is to be done with it: no honest name has another sign.
_SEGMENT: Final = re.compile(rb"([A-Za-z0-9._~@+\-]++)(?::[A-Za-z]++)?+")
# Visible ASCII but what parts a query, is a space to some, or is to be decoded again.
_VALUE: Final = re.compile(rb"[!\"$'-*,-:<-~]++")


def gemini_model(path: bytes) -> str | None:
    """The model in a path of Gemini's or Vertex'; ``None``: it names none, as a list of models.

    ``/v1beta/models/{model}:generateContent``, ``/v1beta/tunedModels/{model}:...``,
    ``/v1/projects/p/locations/l/publishers/google/models/{model}:...``.

    Args:
        path: Still encoded, without its query.

    Raises:
        Unreadable: It names several, or one in a way that servers may read differently.
    """
    return _behind(path, _GEMINI, _GEMINI_ACTING)


def azure_model(path: bytes) -> str | None:
    """The deployment in a path of Azure's; ``None``: the body names the model.

    ``/openai/deployments/{deployment}/chat/completions``; in ``/openai/v1/chat/completions``
    there is none.

    Args:
        path: Still encoded, without its query.

    Raises:
        Unreadable: It names several, or one in a way that servers may read differently.
    """
    return _behind(path, _AZURE)


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


def _behind(
    path: bytes, collections: frozenset[bytes], acting: frozenset[bytes] = frozenset()
) -> str | None:
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
