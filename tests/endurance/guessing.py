"""Keys that are guessed where hashes are slow: by one address, and by a thousand.

What it costs who is known, what is spent on hashing, and when the guessing ends.
"""

import asyncio
import contextlib
import json
import secrets
import ssl
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import bcrypt
import uvloop

from tests.endurance.figure import Figure
from tests.endurance.origin import HOST
from tests.endurance.stage import ROOT, OriginProcess, config
from tests.endurance.wire import GoodClient, connect, head, quantile, read_answer
from tests.process.served import KEY, hashed, put

ENTRIES, COST = 100, 12
GOOD, PACE_S = 4, 0.02
QUIET_S, SECONDS = 10.0, 30.0
ONE, MANY = (1, 50), (1000, 200)  # addresses, and keys a second of all together
AT_ONCE = 20
BANNED_WITHIN_S = 2.0
MAX_TIMES = 2.0
# One thread hashes; what else runs beside the loop reads files.
MAX_CORES = 1.05
SLOW_KEY = "pyp_the-key-of-dora-5b1c0e9a7f3d2468"
# Known keys have to be hashed again while others are guessed.
KEYS, REMEMBERED = 'keys_file = "keys.txt"\n', 'cache_ttl = "10s"\n'
MORE = '[auth.ban]\nafter = 20\n[rate_limits.auth]\nrate = "5r/m"\nburst = 10\n'


def address_of(number):
    """Addresses of loopback that nobody else comes from."""
    return f"127.{1 + number // 65536}.{number // 256 % 256}.{number % 256}"


# --- Who guesses: a process of its own


class Guesser:
    """An address, and its connections that wait for nothing.

    Args:
        port: The gateway's.
        address: Where it comes from.
    """

    def __init__(self, port, address, trust):
        self._port, self._address, self._trust = port, address, trust
        self._idle = []

    async def open(self):
        """One more connection."""
        self._idle.append(
            await asyncio.open_connection(
                HOST, self._port, ssl=self._trust, local_addr=(self._address, 0)
            )
        )

    async def guess(self):
        """Show a key that is nobody's; the answer's status and code."""
        if not self._idle:
            await self.open()
        reader, writer = self._idle.pop()
        writer.write(head("GET", "/small", key=secrets.token_hex(16)))
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        self._idle.append((reader, writer))
        return f"{answer[9:12].decode()} {json.loads(body)['error']}"


async def attack(port, addresses, rate, seconds):
    """Guess at an even pace; print when it began, what came of it, and when the first ban did."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    guessers = [Guesser(port, address_of(number), trust) for number in range(1, addresses + 1)]
    gate = asyncio.Semaphore(AT_ONCE)

    async def come(guesser):
        async with gate:
            await guesser.open()

    await asyncio.gather(*(come(each) for each in guessers))
    print(time.monotonic(), flush=True)  # noqa: T201 - read by who started it
    answers, banned = Counter(), []
    began = time.monotonic()

    async def try_once(guesser):
        try:
            got = await guesser.guess()
        except (OSError, asyncio.IncompleteReadError):
            got = "cut"
        answers[got] += 1
        if got == "403 banned" and not banned:
            banned.append(time.monotonic() - began)

    tasks = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        tasks.append(asyncio.ensure_future(try_once(guessers[number % addresses])))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps({"answers": answers, "banned": banned}), flush=True)  # noqa: T201 - likewise


# --- What it does


def hashing_s(pids):
    """CPU seconds of the threads beside each process's first, in which the loop is."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                if int(task.name) != pid:
                    total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def measure(folder, scale):
    """One address, and then many, against keys that are kept as slow hashes."""
    seconds, quiet_s = (SECONDS, QUIET_S) if scale == 1 else (5.0, 3.0)
    lines = [
        f"user{number}:{bcrypt.hashpw(secrets.token_bytes(16), bcrypt.gensalt(COST)).decode()}\n"
        for number in range(ENTRIES // scale)
    ]
    slow = bcrypt.hashpw(SLOW_KEY.encode(), bcrypt.gensalt(COST)).decode()
    put(folder.path / "keys.txt", hashed("alice", KEY) + f"dora:{slow}\n" + "".join(lines))
    for addresses, rate in (ONE, MANY):
        count = max(1, addresses // scale)
        with OriginProcess() as origin:
            text = config({"/": origin.url}).replace(KEYS, KEYS + REMEMBERED) + MORE
            with folder.gateway(text) as gateway:
                yield from _case(folder, gateway, count, rate, seconds, quiet_s)


def _case(folder, gateway, addresses, rate, seconds, quiet_s):
    keys = [_token(gateway, folder), SLOW_KEY] * (GOOD // 2)
    good = [GoodClient(gateway.port, folder.trust, PACE_S, key) for key in keys]
    for each in good:
        each.__enter__()
    time.sleep(2 * quiet_s)  # dora's key is hashed in its first half
    before = [took for each in good for took in each.took[len(each.took) // 2 :]]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.endurance.guessing", str(gateway.port), str(addresses),
         str(rate), str(seconds)],
        cwd=ROOT, stdout=subprocess.PIPE,
    ) as guessers:  # fmt: skip
        guessers.stdout.readline()
        starts = [len(each.took) for each in good]
        began, hashed_s = time.monotonic(), hashing_s(gateway.workers)
        outcome = json.loads(guessers.stdout.readline())
        hashed_s, took_s = hashing_s(gateway.workers) - hashed_s, time.monotonic() - began
    for each in good:
        each.__exit__()
    during = [took for each, start in zip(good, starts, strict=True) for took in each.took[start:]]
    what = f"{rate} guessed keys/s of {addresses} address{'es' if addresses > 1 else ''}"
    yield from _figures(what, outcome, hashed_s / took_s)
    if addresses == 1:
        first = outcome["banned"][0] if outcome["banned"] else float("inf")
        yield Figure(f"{what}: until it is banned", first, "s", BANNED_WITHIN_S)
    failures = sum(len(each.failed) for each in good)
    yield Figure(f"{what}: good clients' failures", failures, "", 0)
    for part in (0.5, 0.99):
        name, old = f"{what}: p{round(100 * part)}", quantile(before, part)
        yield Figure(f"{name} before", old, "ms")
        bound = MAX_TIMES if part > 0.5 else None
        yield Figure(f"{name} meanwhile", quantile(during, part) / old, "times", bound)


def _figures(what, outcome, cores):
    for answer, count in sorted(outcome["answers"].items()):
        yield Figure(f"{what}: {answer}", count, "")
    yield Figure(f"{what}: cores that hash", cores, "", MAX_CORES)
    started = time.perf_counter()
    bcrypt.checkpw(b"x", bcrypt.gensalt(COST) + b"x" * 31)
    yield Figure(f"{what}: one hash takes", 1000 * (time.perf_counter() - started), "ms")


def _token(gateway, folder):
    """A minted one."""
    with contextlib.closing(connect(gateway.port, folder.trust)) as sock:
        sock.sendall(head("POST", "/token", "Content-Length: 0"))
        return json.loads(read_answer(sock)[1])["token"]


if __name__ == "__main__":
    uvloop.run(attack(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
