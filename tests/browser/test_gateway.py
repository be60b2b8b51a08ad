"""The status page of a gateway that runs, as it serves it itself."""

import signal

import pytest

from tests.process.served import KEY, Upstream, hashed, put, serving

CONFIGURATION = """
[server]
admin = "127.0.0.1:0"
{server}
[[listeners]]
bind = "127.0.0.1:0"
[auth]
keys_file = "keys.txt"
[auth.ban]
after = 3
[rate_limits.auth]
rate = "100r/s"
burst = 100
[[routes]]
name = "stand-in"
path = "/"
upstream = "{upstream}"
"""
TOKEN = "the-admin-token-of-this-gateway"
WRONG = "a-wrong-key-of-nobody-at-all"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where every gateway here has its files."""
    folder = tmp_path_factory.mktemp("gateway")
    put(folder / "keys.txt", hashed("alice", KEY))
    return folder


@pytest.fixture(scope="module")
def serve(folder):
    """Start a gateway; it ends with the block."""
    with Upstream() as upstream:
        yield lambda server="": serving(
            folder, CONFIGURATION.format(server=server, upstream=upstream.url)
        )
        upstream.shutdown()


@pytest.fixture(scope="module")
def gateway(serve):
    """One for the tests that leave it well."""
    with serve() as gateway:
        yield gateway


@pytest.fixture
def page(browser):
    """A page that complains of nothing."""
    with browser.page() as page:
        yield page
        assert page.complaints == []


def look(gateway, page):
    """Open the gateway's page; its origin."""
    admin = f"http://127.0.0.1:{gateway.wait_for('admin.ready')['port']}"
    page.open(f"{admin}/")
    return admin


def test_page_shows_what_goes_through(page, gateway):
    admin = look(gateway, page)
    page.says("#routes", "stand-in")
    page.says("#workers", "answers")
    assert page.text("#total").startswith("0 since start")

    for _ in range(5):
        assert gateway.status() == 200
    assert gateway.status(WRONG) == 401

    page.says("#total", "6 since start")
    page.says("#legend", "2xx 5 (83.3 %)")
    page.says("#refusals", "invalid_token")
    page.until("document.querySelector('#p50').innerText.endsWith(' ms')")
    page.until("document.querySelector('#c-traffic .s1').getAttribute('d') !== ''")
    assert page.failures == []
    assert page.origins == {admin}


def test_ban_is_lifted_from_the_page(page, gateway):
    look(gateway, page)
    while gateway.status(WRONG) == 401:
        pass
    assert gateway.status() == 403
    page.says("#bans", "127.0.0.1")

    page.click("#bans button")
    page.until("document.querySelector('#ask').open")
    page.click("#lift")

    page.says("#said", "The ban on 127.0.0.1 is lifted.")
    assert gateway.status() == 200
    assert page.failures == []


def test_browser_that_asks_for_the_status_is_led_to_the_page(page, gateway):
    admin = look(gateway, page)

    page.open(f"{admin}/status")

    page.says("#state", "serving")
    assert page.ask("location.pathname") == "/"


def test_token_is_wanted_by_all_but_the_page_itself(page, serve):
    with serve(f'admin_token = "{TOKEN}"') as gateway:
        gateway.secrets.append(TOKEN)
        look(gateway, page)
        page.says("#login[open]", "This gateway wants the admin token.")

        page.write(TOKEN)
        page.press("Enter")

        page.says("#routes", "stand-in")


def test_faults_of_a_reload_are_shown_and_then_the_silence(page, serve, folder):
    with serve() as gateway:
        look(gateway, page)
        page.says("#facts", "none since start")
        put(folder / "pyproxy.toml", "[server]\nworkers = 'many <b>'\n")
        gateway.process.send_signal(signal.SIGHUP)
        page.says("#alarms", "The last reload failed")
        page.says("#faults", "server.workers")

        gateway.process.kill()

        page.says("#stale", "The gateway does not answer.")
        page.says("#faults", "server.workers")
