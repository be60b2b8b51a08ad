"""The model that a JSON request body asks for, found while the body streams past.

Nothing of the body is kept but what a token lacks of its end. All of it is read, strictly: a
body has one reading or is ``Unreadable``, so that no upstream reads another model in it than
the one that was judged. Who lets the body pass withholds its end until ``end`` was content.
"""

import codecs
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from pyproxy.models.json_nesting import MAX_DEPTH, Nesting
from pyproxy.models.json_runs import (
    CONTENT,
    CUT_ESCAPE,
    CUT_SCALAR,
    ELEMENTS,
    LEVELS,
    MEMBER_REST,
    MEMBERS,
    PLAIN_NAME,
    SCALAR,
    STRING,
    WHITE,
)
from pyproxy.models.key import ModelKey, text_of
from pyproxy.models.name import MAX_MODEL, Unreadable, one_model, plain_model

# Names outermost that are not plain or are the key; each takes some microseconds.
MAX_ODD_NAMES: Final = 1000
# Bytes of what must be read as a whole: a model, each character of it two escapes.
MAX_TOKEN: Final = MAX_MODEL * 12 + 2

_BOM: Final = b"\xef\xbb\xbf"
_COMMA: Final = ord(",")

_Step = Callable[["ModelScan", bytes, int], int]


class ModelScan:
    """Reads one body, in pieces of any size.

    Refused beyond RFC 8259, which leaves it open what a name twice means: two different models,
    a name that differs from the key in case or in what is no letter, a thousand names that are
    not plain, a model that is no plain text, a name over 3 kB, a number of over 400 digits,
    nesting deeper than 10,000, octets that are no UTF-8. After that a scan is of no more use.

    Args:
        key: The member of the outermost object that names the model.

    Attributes:
        model: As soon as it is known; ``None`` at the end: the body names none.
        is_complete: The outermost object has ended, and nothing but white space came after it.
    """

    __slots__ = (
        "_decoder",
        "_held",
        "_key",
        "_nesting",
        "_odd_names",
        "_step",
        "_step_after_string",
        "is_complete",
        "model",
    )

    def __init__(self, key: ModelKey) -> None:
        self.model: str | None = None
        self.is_complete = False
        self._key = key
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._odd_names = 0
        self._held = b""  # the beginning of a token
        self._nesting = Nesting()
        self._step: _Step = ModelScan._begin
        self._step_after_string: _Step = ModelScan._begin

    def feed(self, data: bytes) -> None:
        """Read on.

        Raises:
            Unreadable: It is not one JSON object in UTF-8 that everybody reads alike.
        """
        self._check_octets(data)
        if self._held:
            data, self._held = self._held + data, b""
        at, end = 0, len(data)
        while at < end:
            at = self._step(self, data, at)

    def end(self) -> None:
        """The body is over.

        Raises:
            Unreadable: The object is not.
        """
        if not self.is_complete:
            raise Unreadable("the body ends within its JSON object")

    def _check_octets(self, data: bytes) -> None:
        """Octets that are no UTF-8 may take a quotation mark with them, in a careless reader."""
        if data.isascii() and not self._decoder.getstate()[0]:
            return
        try:
            self._decoder.decode(data)
        except UnicodeDecodeError as exc:
            raise Unreadable("the body is not UTF-8") from exc

    # Steps: each takes the bytes and where in them to go on, and gives where it came to.

    def _begin(self, data: bytes, at: int) -> int:
        if len(data) < len(_BOM) and _BOM.startswith(data):
            return self._hold(data, at)
        self._step = ModelScan._outermost
        return len(_BOM) if data.startswith(_BOM) else at

    def _outermost(self, data: bytes, at: int) -> int:
        at = _past_white(data, at)
        if not data.startswith(b"{", at):
            return _all_read(data, at)
        self._nesting.enter(data[at])
        self._step = ModelScan._name_or_end
        return at + 1

    def _name_or_end(self, data: bytes, at: int) -> int:
        at = _past_white(data, at)
        if at < len(data):
            self._step = ModelScan._ends if data.startswith(b"}", at) else ModelScan._name
        return at

    def _name(self, data: bytes, at: int) -> int:
        is_outermost = len(self._nesting) == 1
        if (after := self._run(self._key.others if is_outermost else MEMBERS, data, at)) > at:
            return after
        at = _past_white(data, at)
        if not data.startswith(b'"', at):
            return _all_read(data, at)
        if is_outermost:
            return self._outermost_name(data, at)
        return self._enter_string(at, ModelScan._colon)

    def _outermost_name(self, data: bytes, at: int) -> int:
        name = _string_at(data, at)
        if name is None:
            return self._hold(data, at)
        is_key = self._key.is_spelled(name)
        if is_key or not PLAIN_NAME.fullmatch(name):
            self._odd_names += 1
            if self._odd_names > MAX_ODD_NAMES:
                raise Unreadable("too many members have odd names")
        at += len(name)
        self._step = ModelScan._model_colon if is_key else ModelScan._colon
        return at if is_key else self._run(MEMBER_REST, data, at)

    def _colon(self, data: bytes, at: int) -> int:
        return self._take_colon(data, at, ModelScan._value)

    def _model_colon(self, data: bytes, at: int) -> int:
        return self._take_colon(data, at, ModelScan._model_value)

    def _model_value(self, data: bytes, at: int) -> int:
        at = _past_white(data, at)
        if not data.startswith(b'"', at):
            return _all_read(data, at)
        model = _string_at(data, at)
        if model is None:
            return self._hold(data, at)
        self.model = one_model(self.model, plain_model(text_of(model)))
        self._step = ModelScan._ends
        return at + len(model)

    def _element_or_end(self, data: bytes, at: int) -> int:
        at = _past_white(data, at)
        if at < len(data):
            self._step = ModelScan._ends if data.startswith(b"]", at) else ModelScan._element
        return at

    def _element(self, data: bytes, at: int) -> int:
        after = self._run(ELEMENTS, data, at)
        return after if after > at else self._value(data, at)

    def _value(self, data: bytes, at: int) -> int:
        at = _past_white(data, at)
        if data.startswith(b'"', at):
            return self._enter_string(at, ModelScan._ends)
        if data.startswith((b"{", b"["), at):
            return self._enter(data, at)
        found = SCALAR.match(data, at)
        if found is not None:
            self._step = ModelScan._ends
            return found.end()
        return self._hold(data, at) if CUT_SCALAR.match(data, at) else _all_read(data, at)

    def _string(self, data: bytes, at: int) -> int:
        at = _end(CONTENT, data, at)
        if data.startswith(b'"', at):
            self._step = self._step_after_string
            return at + 1
        return self._hold(data, at) if CUT_ESCAPE.match(data, at) else _all_read(data, at)

    def _ends(self, data: bytes, at: int) -> int:
        """Brackets that close behind a value, and the comma behind them."""
        after = self._nesting.ascend(data, at)
        if not self._nesting:
            self._step = ModelScan._over
            self.is_complete = True
            return after
        at = _past_white(data, after)
        if data.startswith(b",", at):
            self._go_on()
            return at + 1
        return at if data.startswith((b"]", b"}"), at) else _all_read(data, at)

    def _over(self, data: bytes, at: int) -> int:
        return _all_read(data, _past_white(data, at))

    # What the steps have in common.

    def _run(self, pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
        """Past as many members or elements as one match takes; where it began: none."""
        if len(self._nesting) + LEVELS > MAX_DEPTH:
            return at
        after = _end(pattern, data, at)
        if after > at:
            self._go_on()
            if data[after - 1] != _COMMA:
                self._step = ModelScan._ends
        return after

    def _go_on(self) -> None:
        """Behind a comma."""
        self._step = ModelScan._name if self._nesting.is_object else ModelScan._element

    def _enter(self, data: bytes, at: int) -> int:
        """Past one bracket that opens, or past several."""
        after = self._nesting.descend(data, at)
        if after == at:
            self._nesting.enter(data[at])
            after = at + 1
        self._step = self._BEHIND[data[at:after].rstrip()[-1]]
        return after

    def _enter_string(self, at: int, then: _Step) -> int:
        self._step = ModelScan._string
        self._step_after_string = then
        return at + 1

    def _take_colon(self, data: bytes, at: int, then: _Step) -> int:
        at = _past_white(data, at)
        if not data.startswith(b":", at):
            return _all_read(data, at)
        self._step = then
        return at + 1

    def _hold(self, data: bytes, at: int) -> int:
        """Keep the beginning of a token until more of it comes."""
        if len(data) - at >= MAX_TOKEN:
            raise Unreadable("a name, model or number in the body is malformed or too long")
        self._held = data[at:]
        return len(data)

    _BEHIND: ClassVar[Mapping[int, _Step]] = MappingProxyType(
        {
            ord("["): _element_or_end,
            ord("{"): _name_or_end,
            ord(","): _element,
            ord(":"): _value,
        }
    )


def _string_at(data: bytes, at: int) -> bytes | None:
    """The JSON string that begins here, if it ends too."""
    found = STRING.match(data, at)
    if found is None:
        return None
    if found.end() - at > MAX_TOKEN:
        raise Unreadable("a name or model in the body is too long")
    return found[0]


def _end(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    """Where a match ends that begins here; here, if there is none."""
    found = pattern.match(data, at)
    return at if found is None else found.end()


def _past_white(data: bytes, at: int) -> int:
    is_white = data[at : at + 1] <= b" "
    return _end(WHITE, data, at) if is_white else at


def _all_read(data: bytes, at: int) -> int:
    """Where it is, which must be the end of what there is so far."""
    if at < len(data):
        raise Unreadable("the body is not one JSON object")
    return at
