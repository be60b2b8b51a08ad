"""Whatever a client sends is refused, or goes up once with the same meaning."""

import zlib

from tests.fuzz.meaning import assert_no_worse_apart, assert_sound, outcome_of
from tests.fuzz.mutation import split


def check(data, house):
    """Fail if these bytes of a client get through in a way that they must not."""
    whole = outcome_of(house, [data])
    assert_sound(data, whole)
    apart = outcome_of(house, split(data, zlib.crc32(data)))
    assert_sound(data, apart)
    assert_no_worse_apart(whole, apart)
