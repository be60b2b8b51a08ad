"""How many inputs a property is tried with, the same ones in every run."""

from hypothesis import HealthCheck, settings


def examples(count):
    """What is red here is red everywhere, and a slow machine is no failure."""
    return settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
