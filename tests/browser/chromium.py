"""A headless Chromium, told what to do over its own protocol (CDP); no driver between."""

import base64
import itertools
import json
import re
import subprocess
import tempfile
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

from websockets.sync.client import connect

# Longer than anything here takes.
PATIENCE_S = 20.0
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
)
# Asks again and again within the page, so that nothing here waits for a guessed time.
_UNTIL = (
    "new Promise(done => {{"
    " const look = () => ({0}) ? done(true) : setTimeout(look, 10); look(); }})"
)


class Chromium:
    """A running browser, and the one connection through which it is told everything."""

    def __init__(self, socket):
        self._socket = socket
        self._numbers = itertools.count(1)
        self._pages = {}

    def call(self, method, session=None, /, **parameters):
        """Give a command; its result. Events that arrive meanwhile go to their pages."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer = json.loads(self._socket.recv(timeout=deadline - time.monotonic()))
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            if "method" in answer and answer.get("sessionId") in self._pages:
                self._pages[answer["sessionId"]].heard(answer["method"], answer["params"])

    @contextmanager
    def page(self, width=1280, height=900, *, is_dark=False):
        """An empty page with storage of its own."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)
        session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = self._pages[session["sessionId"]] = Page(self, session["sessionId"])
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.resize(width, height)
        page.emulate(is_dark=is_dark)
        try:
            yield page
        finally:
            self.call("Target.disposeBrowserContext", browserContextId=context)
            del self._pages[session["sessionId"]]


class Page:
    """One page.

    Attributes:
        complaints: What stood in its console as an error, violations of the policy included.
        failures: Requests of its that failed, or were answered with an error.
        requests: Every URL that it asked for.
    """

    def __init__(self, browser, session):
        self._browser, self._session = browser, session
        self.complaints, self.failures, self.requests = [], [], []

    def call(self, method, /, **parameters):
        """Give this page a command."""
        return self._browser.call(method, self._session, **parameters)

    def heard(self, method, event):
        """Take an event."""
        match method:
            case "Network.requestWillBeSent":
                self.requests.append(event["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(event["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if event["type"] in {"error", "warning", "assert"}:
                self.complaints.append(str(event["args"]))
            case "Log.entryAdded" if event["entry"]["level"] in {"error", "warning"}:
                is_network = event["entry"]["source"] == "network"
                (self.failures if is_network else self.complaints).append(event["entry"]["text"])

    @property
    def origins(self):
        """Whom it asked."""
        return {"{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in self.requests
                if not url.startswith("data:")}  # fmt: skip

    def open(self, url):
        """Go there."""
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def resize(self, width, height):
        """Make the window so large."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)  # fmt: skip

    def emulate(self, *, is_dark):
        """Say which colours the person prefers, and that nothing should move."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        motion = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.call("Emulation.setEmulatedMedia", features=[scheme, motion])

    def ask(self, expression):
        """The value of JavaScript; a promise is waited for."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True,
                           returnByValue=True)  # fmt: skip
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def until(self, expression):
        """Wait until JavaScript is true."""
        self.ask(_UNTIL.format(expression))

    def text(self, selector):
        """What stands there, as a person reads it."""
        return self.ask(f"document.querySelector({json.dumps(selector)}).innerText")

    def says(self, selector, text):
        """Wait until it says that."""
        where, what = json.dumps(selector), json.dumps(text)
        self.until(f"(document.querySelector({where})?.innerText ?? '').includes({what})")

    def click(self, selector):
        """Click there as a mouse does: what is covered or out of sight is not reached."""
        where = f"document.querySelector({json.dumps(selector)})"
        self.ask(f"{where}.scrollIntoView({{block: 'center'}})")
        box = self.ask(f"{where}.getBoundingClientRect().toJSON()")
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)

    def write(self, text):
        """Write into what has the focus."""
        self.call("Input.insertText", text=text)

    def press(self, key, code=None):
        """Press a key and let it go."""
        text = {"Enter": "\r", " ": " "}.get(key)
        more = {"text": text} if text else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code or key,
                      windowsVirtualKeyCode={"Enter": 13, "Tab": 9, "Escape": 27}.get(key, 0),
                      **(more if kind == "keyDown" else {}))  # fmt: skip

    def picture(self, path, *, is_whole=True):
        """Keep what it looks like as a PNG."""
        result = self.call("Page.captureScreenshot", captureBeyondViewport=is_whole)
        path.write_bytes(base64.b64decode(result["data"]))


@contextmanager
def chromium(program="chromium"):
    """Start the browser with a profile of its own; it ends with the block."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        command = [program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            address = _address(process.stderr)
            with connect(address, max_size=None, proxy=None) as socket:
                yield Chromium(socket)
        finally:
            process.kill()
            process.wait()
            process.stderr.close()


def _address(stream):
    """Where it listens: its first line that says so."""
    for line in stream:
        if match := re.search(rb"DevTools listening on (\S+)", line):
            return match[1].decode()
    raise AssertionError("Chromium ended before it listened")
