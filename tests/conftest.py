"""What holds for all tests."""

import signal

import pytest


@pytest.fixture(autouse=True)
def signals_as_they_were():
    """A command that holds signals back while it starts does so for its process: here, for us."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, held)
