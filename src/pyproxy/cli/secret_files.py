"""Files with secrets that lie where others find them: in a repository, or in plain sight."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pyproxy.assembly.private_files import holds_secrets, private_files
from pyproxy.config.load import Loaded
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import Fault
from pyproxy.runtime.preflight import exposed

# What Compose and many a shell fill the environment from; nobody here reads it.
_ENVIRONMENT_FILE: Final = ".env"
# Git looks at an index and some text files; on a hung mount it may take for ever.
_PATIENCE_S: Final = 5.0
_IS_IGNORED, _IS_NOT_IGNORED = 0, 1


def unguarded(loaded: Loaded, here: Path) -> Iterator[Fault]:
    """Remarks on secrets that a commit or another user would give away. Runs ``git``, if there.

    Args:
        loaded: The configuration.
        here: The working directory, for one that is in no file.
    """
    settings = loaded.settings
    file = loaded.path and loaded.path.absolute()
    environment = (file.parent if file else here) / _ENVIRONMENT_FILE
    for fault in exposed([environment]):
        yield Fault(fault.path, f"is where Compose keeps secrets, and {fault.problem}")
    named = [*private_files(settings).secret, *_listeners_keys(settings), environment]
    if file and holds_secrets(settings):
        named.append(file)
    for path in dict.fromkeys(named):
        if path.is_file() and _would_be_committed(path):
            problem = (
                "holds a secret and lies in a git repository that does not ignore it: the next "
                "'git add' takes it along; name it in .gitignore, and if it was ever committed, "
                "replace the secret"
            )
            yield Fault(str(path), problem)


def _listeners_keys(settings: Settings) -> Iterator[Path]:
    for listener in settings.listeners:
        if listener.private_key:
            yield Path(listener.private_key)


def _would_be_committed(path: Path) -> bool:
    """Whether git tracks the file, or would add it; without git or a repository: no."""
    if not any((folder / ".git").exists() for folder in path.parents):
        return False
    git = shutil.which("git")
    if git is None:
        return False
    # To `check-ignore` no tracked file is ignored. No monitor that the repository names is run.
    command = [git, "-c", "core.fsmonitor=false", "-C", str(path.parent)]
    try:
        ran = subprocess.run(  # noqa: S603 - found in PATH, with a path of the operator's own
            [*command, "check-ignore", "--quiet", "--", path.name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ran.returncode == _IS_NOT_IGNORED
