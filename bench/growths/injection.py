"""Python's share of a request into which the upstream's credential is put, beside one without.

A provider's route does more than that: it takes its own path off, puts the API's version in
front, strips whatever else may hold a credential, and looks whether the path is closed. A client
that repeats its head has all of it found out once; so its share is measured where each head
differs from the one before, and where each path does, too. On the first request of a connection
it is the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import uvloop

from bench.growths.effort import Effort
from bench.growths.python_share import FIGURE
from bench.hot_path import KEY, Course, measure_in_turn, request_for
from bench.sdk import FIELDS, traced
from bench.series import Series

LIMIT: Final = 1.10
"""What a request with a credential put in may cost, one without being 1."""

_WITHOUT_AND_WITH: Final = (0, 1)
_INJECTED: Final = "sk-bench-upstream-0123456789abcdef"
_ENVIRONMENT: Final[Mapping[str, str]] = {"OPENAI_API_KEY": _INJECTED}
_REQUESTS: Final = 500  # of a lap: short, so that some are quiet throughout
_LAPS: Final = 30  # of a turn
# More than the gateway remembers verdicts on paths.
_HEADS: Final = 2_000
_GENERIC: Final = f"""
[[listeners]]
bind = "127.0.0.1:0"
[auth]
keys = ["{KEY}"]
[rate_limits.api]
rate = "1000000r/h"
burst = 1000000
[[routes]]
name = "generic"
path = "/"
upstream = "http://127.0.0.1:9000"
"""
_CREDENTIAL: Final = f"""
credential = {{ header = "Authorization", value = "Bearer {_INJECTED}" }}
"""
_PROVIDER: Final = """
[[routes]]
name = "openai"
path = "/openai"
provider = "openai"
upstream = "http://127.0.0.1:9000"
"""


def credential(effort: Effort) -> list[Series]:
    """With no credential for the upstream put in, and with one."""
    return [_judged("upstream credential put in", with_credential, effort)]


def provider(effort: Effort) -> list[Series]:
    """To a generic route, and to a provider's; both lead to the same upstream."""
    return [
        _judged("provider's route, same heads", repeated, effort),
        _judged("provider's route, new heads", new_heads, effort),
        _judged("provider's route, new paths", new_paths, effort),
    ]


def with_credential(number: int) -> Course:
    """A route that puts in so many credentials, 0 or 1."""
    requests = [request_for("/v1/chat/completions", KEY)]
    if not number:
        return Course(_GENERIC, requests)
    return Course(_GENERIC + _CREDENTIAL, requests, must_send=_INJECTED.encode())


def repeated(number: int) -> Course:
    """A client's head is always the same."""
    path = f"{_base(number)}/chat/completions"
    return _course(number, [request_for(path, KEY, FIELDS)])


def new_heads(number: int) -> Course:
    """No head is known from the request before."""
    path = f"{_base(number)}/chat/completions"
    return _course(number, [request_for(path, KEY, traced(each)) for each in range(_HEADS)])


def new_paths(number: int) -> Course:
    """Neither is the path."""
    paths = (f"{_base(number)}/responses/resp_{each:048x}/cancel" for each in range(_HEADS))
    return _course(number, [request_for(path, KEY, FIELDS) for path in paths])


def _base(number: int) -> str:
    """What clients are configured with."""
    return "/openai" if number else "/v1"


def _course(number: int, requests: Sequence[bytes]) -> Course:
    must_send = _INJECTED.encode() if number else b""
    return Course(_GENERIC + _PROVIDER, requests, must_send=must_send, environment=_ENVIRONMENT)


def _judged(name: str, course: Callable[[int], Course], effort: Effort) -> Series:
    """Say whether it is dear, too."""
    courses = [course(number) for number in _WITHOUT_AND_WITH]
    figures = uvloop.run(measure_in_turn(courses, _REQUESTS, effort.turns * _LAPS))
    without, with_one = figures
    ratio = with_one / without
    verdict = "within" if ratio <= LIMIT else "above"
    print(f"{name}: {ratio:.3f} of a request without; {verdict} {LIMIT:.2f}")
    return Series(name, FIGURE, dict(zip(_WITHOUT_AND_WITH, figures, strict=True)))
