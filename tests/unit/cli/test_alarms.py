import pytest

from pyproxy.cli.alarms import alarms
from pyproxy.cli.status import Status
from tests.desk import NOW, route, status


def found(**values):
    return [(each.text, each.is_grave) for each in alarms(Status.model_validate(status(**values)))]


def certificate(days_left, names=("a.example",)):
    return {"bind": "b", "file": "f.crt", "names": names, "not_after": NOW, "days_left": days_left}


def keys(state):
    return {"source": "https://i/jwks", "keys": 1, "age_s": 60.0, "state": state}


def test_sound_gateway_has_none():
    assert found(certificates=[certificate(21.0)], key_sets=[keys("fresh")]) == []


def test_not_ready_says_why():
    text = "Not ready: no worker answers; route a: b is out."

    assert found(ready=False, reasons=["no worker answers", "route a: b is out"]) == [(text, True)]


def test_draining_is_not_alarming():
    text = "Draining: what is open is finished, nothing new is accepted."

    assert found(ready=False, draining=True) == [(text, False)]


def test_worker_that_is_silent():
    worker = {"slot": 3, "pid": 77, "uptime_s": 1.0, "connections": 0, "is_answering": False}

    assert found(workers=[worker]) == [("Worker 3 (process 77) does not answer.", True)]


@pytest.mark.parametrize(
    ("states", "alarm"),
    [
        (["up", "up"], []),
        (["up", "out"], [("Route a: 1 is out.", False)]),
        (["unhealthy", "out"], [("Route a: no upstream is up.", True)]),
        ([], []),
    ],
)
def test_upstreams(states, alarm):
    upstreams = [(str(i), state) for i, state in enumerate(states)]

    assert found(routes=[route("a", *upstreams)]) == alarm


@pytest.mark.parametrize(
    ("days", "alarm"),
    [
        (20.5, ("The certificate of a.example ends in 20 d 12 h.", False)),
        (6.5, ("The certificate of a.example ends in 6 d 12 h.", True)),
        (-0.5, ("The certificate of a.example has ended.", True)),
    ],
)
def test_certificate_that_ends_soon(days, alarm):
    assert found(certificates=[certificate(days)]) == [alarm]


def test_certificate_without_names_is_its_file():
    assert found(certificates=[certificate(-1.0, [])]) == [
        ("The certificate of f.crt has ended.", True)
    ]


@pytest.mark.parametrize(("state", "is_grave"), [("stale", False), ("lost", True)])
def test_key_set_that_is_not_fresh(state, is_grave):
    assert found(key_sets=[keys(state)]) == [
        (f"Key set https://i/jwks is {state}: 1 min old.", is_grave)
    ]


def test_store_that_is_down_says_what_happens_meanwhile():
    store = {"kind": "redis", "is_up": False, "on_failure": "deny", "failures": 1}

    assert found(store=store) == [("The store (redis) does not answer; meanwhile: deny.", True)]


def test_reload_that_failed_says_its_faults():
    reload = {"at": NOW, "result": "failed", "faults": ["a: b", "c: d"]}
    text = "The last reload failed, the old configuration is in force: a: b; c: d"

    assert found(reload=reload) == [(text, True)]


def test_files_that_were_not_taken_over_are_told_by_their_kind():
    text = "What the files of key sets hold now is faulty, the old stays in force."

    assert found(files_refused=["key_sets"]) == [(text, False)]


def test_grave_ones_come_first():
    texts = [grave for _, grave in found(logs={"lost": 1}, certificates=[certificate(1.0)])]

    assert texts == [True, False]
