"""Which contenders there are on this machine."""

import sys
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

from bench.contenders import envoy, litellm, nginx, pyproxy
from bench.contenders.contender import Contender, Missing, Setting, faults_of
from bench.stage import NotStarted

NAMES = (pyproxy.NAME, pyproxy.PROVIDER, nginx.WITH_VERIFIER, nginx.BARE, envoy.NAME, litellm.NAME)

Start = Callable[[Setting], Contender]


def known(program: Path, litellm_program: Path | None) -> dict[str, Start]:
    """How each contender is started, pyproxy first."""
    starts: dict[str, Start] = {
        pyproxy.NAME: partial(pyproxy.start, program=program),
        nginx.WITH_VERIFIER: nginx.start_with_verifier,
        nginx.BARE: nginx.start_bare,
        envoy.NAME: envoy.start,
        pyproxy.PROVIDER: partial(pyproxy.start_provider, program=program),
    }
    if litellm_program is not None:
        starts[litellm.NAME] = partial(litellm.start, program=litellm_program)
    return starts


def start_all(
    setting: Setting, starts: dict[str, Start], without: Collection[str]
) -> Sequence[Contender]:
    """Start those that can be and do what they must; say why the others are left out."""
    contenders = []
    for name, start in starts.items():
        if name in without:
            continue
        try:
            contender = start(setting)
        except (Missing, NotStarted) as reason:
            _leave_out(name, str(reason))
            continue
        faults = faults_of(contender, setting.credentials.certificate)
        if faults:
            _leave_out(name, "; ".join(faults))
        else:
            contenders.append(contender)
    return contenders


def _leave_out(name: str, reason: str) -> None:
    print(f"{name} is left out: {reason}", file=sys.stderr)
