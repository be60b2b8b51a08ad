"""The status page in a real browser, under its own policy."""

import json

import pytest

from tests.desk import NOW, route, status

NONE = "\N{EN DASH}"
HOSTILE = '<img src=x onerror="document.title=1"><script>alert(1)</script>'
COLOURS = [pytest.param(False, id="light"), pytest.param(True, id="dark")]
# Contrast of every text with what is behind it (WCAG 2.2, 1.4.3), as the browser computed both;
# the ground is that of the nearest ancestor that has one, and no text here stands on a picture.
CONTRAST = """
(() => {
  const drawing = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = colour => { drawing.clearRect(0, 0, 1, 1); drawing.fillStyle = colour;
    drawing.fillRect(0, 0, 1, 1); return [...drawing.getImageData(0, 0, 1, 1).data]; };
  const light = c => c.slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = node => { for (; node; node = node.parentElement) {
    const c = rgb(getComputedStyle(node).backgroundColor); if (c[3] === 255) return c; }
    return [255, 255, 255]; };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !node.checkVisibility()) continue;
    const [a, b] = [light(rgb(getComputedStyle(node).color)), light(ground(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(walk.currentNode.data.trim() + ' ' + ratio.toFixed(2));
  }
  return found;
})()
"""

OUTSIDE = """
[...document.querySelectorAll('body *')].filter(n => n.checkVisibility() &&
  !n.closest('.cards thead, .unseen, .skip') && n.getBoundingClientRect().right > innerWidth + 0.5)
  .map(n => n.tagName + n.id)
"""


def troubled():
    """A gateway with everything wrong that the page has words for."""
    quiet = status()
    return quiet | {
        "ready": False,
        "reasons": ["route openai: https://api.openai.com is unhealthy"],
        "requests": quiet["requests"] | {"total": 100, "by_status": {"2xx": 90, "5xx": 10}},
        "routes": [
            route("openai", ("https://api.openai.com", "unhealthy"), path="/openai", errors=10),
            route("copilot", ("http://127.0.0.1:4141", "up"), ("http://127.0.0.1:4142", "out")),
        ],
        "refusals": {"rate_limited": 12},
        "limits": [{"name": "api", "rate": "10r/s", "burst": 20, "per": ["ip"], "refused": 12}],
        "workers": [
            {"slot": 0, "pid": 4242, "uptime_s": 1.0, "connections": 1, "is_answering": False}
        ],
        "store": {"kind": "redis", "is_up": False, "on_failure": "deny", "failures": 3},
        "certificates": [
            {"bind": "0.0.0.0:5000", "file": "a.crt", "names": ["a.example"],
             "not_after": NOW, "days_left": 3.4},
            {"bind": "0.0.0.0:5001", "file": "b.crt", "names": ["b.example"],
             "not_after": NOW, "days_left": 20.9},
            {"bind": "0.0.0.0:5002", "file": "c.crt", "names": ["c.example"],
             "not_after": NOW, "days_left": -1.0},
            {"bind": "0.0.0.0:5003", "file": "d.crt", "names": ["d.example"],
             "not_after": NOW, "days_left": 21.0},
        ],
        "key_sets": [{"source": "https://i/jwks", "keys": 0, "age_s": 90000.0, "state": "lost"}],
        "reload": {"at": NOW, "result": "failed", "faults": ["routes[0].path: must begin with /"]},
        "files_refused": ["upstream_certificates"],
        "logs": {"lost": 7},
    }  # fmt: skip


def test_numbers_are_alive(opened, desk):
    page = opened()
    assert page.text("#rps") == "0"

    desk.status["requests"] |= {"per_second": 12.5, "errors_per_second": 0.5}
    desk.status["requests"] |= {"in_flight": 3, "streams": 2, "connections": 9}
    desk.status["requests"]["latency_ms"] = {"p50": 1.25, "p90": 340.0, "p99": 9100.0}

    page.says("#rps", "13")
    assert page.text("#eps") == "0.5"
    assert page.text("#p50") == "1.3 ms"
    assert page.text("#p90") == "340 ms"
    assert page.text("#p99") == "9.10 s"
    assert [page.text(f"#{name}") for name in ("flight", "streams", "connections")] == [
        "3",
        "2",
        "9",
    ]


def test_last_minute_is_drawn(opened, desk):
    page = opened()
    assert page.ask("document.querySelector('#c-traffic .s1').getAttribute('d')") == ""

    desk.status["history"]["per_second"] = [0] * 30 + [40] * 30
    desk.status["history"]["p50_ms"] = [None] * 59 + [5.0]

    page.says("#c-traffic + figcaption", "peak 40/s")
    assert page.ask("document.querySelector('#c-traffic .s1').getAttribute('d')").count("L") == 59
    assert page.ask("document.querySelector('#c-latency .s1').getAttribute('d')").count("M") == 1
    label = page.ask("document.querySelector('#c-traffic').getAttribute('aria-label')")
    assert label == "Requests a second, last minute; highest 40/s"


def test_gateway_without_traffic_says_so(opened):
    page = opened()

    assert page.text("#alarms") == ""
    assert page.text("#state") == "serving"
    assert page.text("#p50") == NONE
    for sentence in ("Nothing was answered yet.", "Nobody was refused.", "Nobody is banned.",
                     "No listener speaks TLS.", "No JWK set is in use."):  # fmt: skip
        assert sentence in page.text("main")


def test_what_is_wrong_stands_on_top_the_worst_first(opened, desk):
    desk.status = troubled()
    page = opened()

    assert page.text("#state") == "not ready"
    assert page.text("#alarms").splitlines() == [
        "Not ready: route openai: https://api.openai.com is unhealthy.",
        "Worker 0 (process 4242) does not answer.",
        "Route openai: no upstream is up.",
        "The store (redis) does not answer; meanwhile: deny.",
        "The certificate of a.example ends in 3 days.",
        "The certificate of c.example has ended.",
        "Key set https://i/jwks is lost: 1 d 1 h old.",
        "The last reload failed, the old configuration is in force: 1 fault.",
        "Route copilot: http://127.0.0.1:4142 is out.",
        "The certificate of b.example ends in 20 days.",
        "What the files of upstream certificates hold now is faulty, the old stays in force.",
        "7 log lines were lost.",
    ]
    assert page.ask("document.querySelector('#alarms').getAttribute('aria-live')") == "polite"
    assert page.ask("document.title") == "(12) pyproxy"
    assert page.text("#faults") == "routes[0].path: must begin with /"


def test_alarm_that_is_over_goes_away(opened, desk):
    desk.status = troubled()
    page = opened()

    desk.status = status()

    page.until("document.querySelector('#alarms').children.length === 0")
    assert page.text("#state") == "serving"


def test_refusals_of_the_last_minute_are_told_apart(opened, desk):
    desk.status["refusals"] = {"rate_limited": 10, "invalid_token": 30}
    page = opened()
    assert page.text("#refusals").split() == ["invalid_token", "30", "rate_limited", "10"]

    desk.status["refusals"] = {"rate_limited": 14, "invalid_token": 30}
    desk.status["refusals_last_minute"] = {"rate_limited": 4}

    page.says("#refusals", "+4")
    assert page.text("#refusals").split() == ["invalid_token", "30", "rate_limited", "+4", "14"]


def test_refusals_of_the_last_minute_are_told_to_who_has_just_come(opened, desk):
    desk.status["refusals"] = {"rate_limited": 14, "invalid_token": 30}
    desk.status["refusals_last_minute"] = {"rate_limited": 4}

    page = opened()

    page.says("#refusals", "rate_limited")
    assert page.text("#refusals").split() == ["invalid_token", "30", "rate_limited", "+4", "14"]


def test_hostile_names_stay_text(opened, desk):
    everything = troubled()
    everything["version"] = everything["python"] = HOSTILE
    everything["routes"] = [
        route(HOSTILE, (HOSTILE, HOSTILE), path=HOSTILE, provider=HOSTILE, limits=[HOSTILE])
    ]
    everything["limits"][0] |= {"name": HOSTILE, "rate": HOSTILE, "per": [HOSTILE]}
    everything["refusals"] = {HOSTILE: 1}
    everything["certificates"][0] |= {"names": [HOSTILE], "bind": HOSTILE, "file": HOSTILE}
    everything["key_sets"][0] |= {"source": HOSTILE, "state": HOSTILE}
    everything["reload"]["faults"] = [HOSTILE]
    everything["listeners"] = [{"bind": HOSTILE, "tls": True}]
    everything["store"]["kind"] = everything["store"]["on_failure"] = HOSTILE
    everything["requests"]["by_status"] = {HOSTILE: 3}
    everything["bans"]["in_force"] = 1
    desk.status, desk.bans = everything, {HOSTILE: 5.0}

    page = opened()

    page.says("#bans", HOSTILE)
    for part in ("about", "alarms", "routes", "limits", "refusals", "certificates", "keysets",
                 "faults", "facts", "store", "legend"):  # fmt: skip
        assert HOSTILE in page.text(f"#{part}"), part
    assert page.ask("document.querySelectorAll('img, script').length") == 1
    assert page.ask("document.title").endswith("pyproxy")


def test_names_that_objects_have_are_names(opened, desk):
    desk.status["refusals"] = {"constructor": 3, "__proto__x": 2, "toString": 1}
    page = opened()

    page.says("#refusals", "constructor")
    assert page.text("#refusals").split() == [
        "constructor",
        "3",
        "__proto__x",
        "2",
        "toString",
        "1",
    ]


def test_ban_is_lifted_after_a_question(opened, desk):
    desk.status["bans"]["in_force"] = 2
    desk.bans = {"203.0.113.7": 811.0, "2001:db8:1:2::/64": 30.0}
    page = opened()
    page.says("#bans", "2001:db8:1:2::/64")

    page.click("[aria-label='Lift the ban on 2001:db8:1:2::/64']")
    page.says("#ask[open]", "Lift the ban on 2001:db8:1:2::/64?")
    assert desk.lifted == []
    page.click("#lift")

    page.says("#said", "The ban on 2001:db8:1:2::/64 is lifted.")
    assert desk.lifted == ["2001:db8:1:2::/64"]
    assert page.text("#bans").split() == ["203.0.113.7", "13", "min", "Lift"]


def test_ban_is_kept_when_that_is_the_answer(opened, desk):
    desk.status["bans"]["in_force"] = 1
    desk.bans = {"203.0.113.7": 811.0}
    page = opened()
    page.says("#bans", "203.0.113.7")

    page.click("#bans button")
    page.until("document.querySelector('#ask').open")
    page.click("#keep")

    page.until("!document.querySelector('#ask').open")
    assert desk.lifted == []


def test_ban_is_lifted_by_keyboard_alone(opened, desk):
    desk.status["bans"]["in_force"] = 1
    desk.bans = {"203.0.113.7": 811.0}
    page = opened()
    page.says("#bans", "203.0.113.7")

    for _ in range(20):
        page.press("Tab")
        if (
            page.ask("document.activeElement.getAttribute('aria-label')")
            == "Lift the ban on 203.0.113.7"
        ):
            break
    page.press("Enter")
    page.until("document.querySelector('#ask').open")
    page.press("Tab")
    assert page.ask("document.activeElement.id") == "lift"
    page.press("Enter")

    page.says("#said", "The ban on 203.0.113.7 is lifted.")


def test_ban_that_has_ended_meanwhile_is_said_to_have(opened, desk):
    desk.status["bans"]["in_force"] = 1
    desk.bans = {"203.0.113.7": 811.0}
    page = opened()
    page.says("#bans", "203.0.113.7")
    page.click("#bans button")
    desk.bans = {}

    page.until("document.querySelector('#ask').open")
    page.click("#lift")

    page.says("#said", "203.0.113.7 is not banned any more.")


def test_button_keeps_the_focus_while_numbers_change(opened, desk):
    desk.status["bans"]["in_force"] = 1
    desk.bans = {"203.0.113.7": 811.0}
    page = opened()
    page.says("#bans", "13 min")
    page.ask("document.querySelector('#bans button').focus()")

    desk.bans["203.0.113.7"] = 59.0

    page.says("#bans", "59 s")
    assert page.ask("document.activeElement.innerText") == "Lift"


def test_more_bans_than_anybody_reads_are_counted(opened, desk):
    desk.bans = {f"10.0.{i // 250}.{i % 250}": 60.0 for i in range(1000)}
    desk.status["bans"]["in_force"] = 1000
    page = opened()

    page.says("#more-bans", "and 800 more: pyproxy bans list")
    assert page.ask("document.querySelector('#bans').rows.length") == 200


def test_gateway_that_was_killed_is_said_to_be_silent(opened, desk):
    page = opened()

    desk.leave()

    page.says("#stale", "The gateway does not answer.")
    assert "what is below is from" in page.text("#stale")
    assert page.ask("document.querySelector('#silence').getAttribute('role')") == "alert"
    assert page.text("#state") == "silent"
    assert page.ask("document.title") == "(silent) pyproxy"


def test_gateway_that_comes_back_is_live_again(opened, desk):
    page = opened()
    desk.code = 503
    page.says("#stale", "The gateway does not answer.")

    desk.code = 200

    page.until("document.querySelector('#stale').hidden")
    page.says("#state", "serving")


def test_token_is_asked_for_and_kept_in_this_tab_alone(opened, desk):
    desk.token = "the-admin-token"
    page = opened(is_shown=False)
    page.says("#login[open]", "This gateway wants the admin token.")
    assert page.ask("document.querySelector('#main').hidden")

    page.write("not-the-token")
    page.press("Enter")
    page.says("#login[open]", "That is not this gateway's admin token.")
    page.write("the-admin-token")
    page.press("Enter")

    page.until("!document.querySelector('#main').hidden")
    assert page.ask("localStorage.length") == 0
    assert page.ask("document.cookie") == ""
    assert page.ask("JSON.stringify(sessionStorage)") == json.dumps(
        {"pyproxy-admin-token": "the-admin-token"}, separators=(",", ":")
    )
    assert not [url for url in page.requests if "token" in url]
    assert desk.refused == 2, "nothing is asked while the person is"


def test_token_that_was_changed_is_asked_for_again(opened, desk):
    page = opened()

    desk.token = "the-admin-token"

    page.says("#login[open]", "This gateway wants the admin token.")


def test_person_who_guessed_too_often_is_told_to_wait(opened, desk):
    desk.code = 429
    page = opened(is_shown=False)

    page.says("#login[open]", "Too many wrong tokens came from here. Wait a minute.")


def test_token_that_no_header_can_hold_is_refused_in_words(opened, desk):
    desk.token = "the-admin-token"
    page = opened(is_shown=False)
    page.says("#login[open]", "This gateway wants the admin token.")

    page.write("snow☃man")
    page.press("Enter")

    page.says("#login[open]", "That is not this gateway's admin token.")


def test_nothing_is_wider_than_the_window(opened, desk):
    desk.status = troubled()
    long = "x" * 300
    desk.status["routes"].append(route(long, (long, "up"), path=f"/{long}", limits=[long]))
    desk.status["limits"].append(
        {"name": long, "rate": "1r/s", "burst": 1, "per": [long], "refused": 0}
    )
    desk.status["refusals"][long] = 1
    desk.status["key_sets"][0]["source"] = f"https://{long}/"
    desk.status["certificates"][0]["names"] = [long]
    desk.status["reload"]["faults"] = [long]
    page = opened()
    for width in (320, 400, 600, 800, 1280, 1600):
        page.resize(width, 900)

        assert page.ask("document.documentElement.scrollWidth") == width
        assert page.ask(OUTSIDE) == []


@pytest.mark.parametrize("is_dark", COLOURS)
def test_every_text_can_be_read(opened, desk, is_dark):
    desk.status = troubled()
    desk.status["bans"]["in_force"] = 1
    desk.bans = {"203.0.113.7": 811.0}
    page = opened(is_dark=is_dark)
    page.says("#bans", "203.0.113.7")

    assert page.ask(CONTRAST) == []


def test_page_has_landmarks_and_every_table_its_headers(opened, desk):
    desk.status = troubled()
    page = opened(400)

    assert page.ask(
        "['header', 'main', 'footer'].map(n => document.querySelectorAll(n).length)"
    ) == [1, 1, 1]
    assert page.ask("[...document.querySelectorAll('section')].every(n =>"
                    " document.getElementById(n.getAttribute('aria-labelledby')))")  # fmt: skip
    assert page.ask("[...document.querySelectorAll('th')].every(n => n.scope)")
    tree = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in tree if not node["ignored"]]
    assert roles.count("columnheader") > 20, "cards on a narrow screen are a table still"
