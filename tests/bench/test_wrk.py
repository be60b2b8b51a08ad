import pytest

from bench.wrk import Report

SAID = """Running 2s test @ https://127.0.0.1:5000/v1/chat/completions
  1 threads and 32 connections
  Latency Distribution
     50%    2.91ms
     75%    3.40ms
     90%    5.02ms
     99%    1.20s
  2000 requests in 2.00s, 2.00MB read
{faults}Requests/sec:   1000.25
Transfer/sec:      1.00MB
"""


def test_figures_are_read_in_their_units():
    report = Report.read(SAID.format(faults=""), 1000)

    assert report == Report(2000, 1000.25, 2910, 1_200_000, failed=0)


@pytest.mark.parametrize(
    ("faults", "least_bytes", "failed"),
    [
        pytest.param("  Non-2xx or 3xx responses: 7\n", 1000, 7, id="refusals"),
        pytest.param(
            "  Socket errors: connect 1, read 2, write 0, timeout 4\n", 1000, 7, id="sockets"
        ),
        pytest.param("", 2000, 1, id="answers cut short"),
    ],
)
def test_what_went_wrong_is_counted(faults, least_bytes, failed):
    assert Report.read(SAID.format(faults=faults), least_bytes).failed == failed


def test_no_answer_at_all_is_a_failure():
    said = "  0 requests in 2.00s, 0.00B read\nRequests/sec:      0.00\n"

    assert Report.read(said, 1000).failed == 1
