"""Answers, for as long as libFuzzer is told; see README.md beside this file.

python -m tests.fuzz.fuzz_answer -max_total_time=3600 /tmp/found tests/fuzz/corpus/answers
"""

import sys

import atheris

with atheris.instrument_imports(include=["pyproxy"]):
    from tests.fuzz.answer_check import check
    from tests.fuzz.through import House

HOUSE = House()


def one(data):
    """What libFuzzer calls."""
    check(data, HOUSE)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
