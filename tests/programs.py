"""Programs of others that some tests need."""

import os

import pytest


def demand(problem: str) -> None:
    """Go on if there is no problem; else skip, or fail where every program has to be.

    Args:
        problem: What keeps a program from running here, as a sentence; empty if nothing does.
    """
    if problem and os.environ.get("CI"):
        pytest.fail(problem)
    if problem:
        pytest.skip(problem)
