"""Asks over one new TLS connection after the other until told to stop; prints what came of it.

Runs inside, with nothing but the standard library.
"""

import http.client
import json
import signal
import ssl
import sys
import threading

PATIENCE_S = 60.0
CLIENTS = 4
PAUSE_S = 0.05


def ask(port, context, over, answered, failed):
    while not over.is_set():
        connection = http.client.HTTPSConnection(
            "localhost", port, timeout=PATIENCE_S, context=context
        )
        try:
            connection.request("GET", "/health", headers={"Connection": "close"})
            answered.append(connection.getresponse().status)
        except (OSError, http.client.HTTPException) as exc:
            failed.append(repr(exc))
        finally:
            connection.close()
        over.wait(PAUSE_S)


def main():
    over, answered, failed = threading.Event(), [], []
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    context = ssl.create_default_context(cafile="/etc/pyproxy/certs/ca.crt")
    common = (int(sys.argv[1]), context, over, answered, failed)
    threads = [threading.Thread(target=ask, args=common) for _ in range(CLIENTS)]
    for each in threads:
        each.start()
    print("asking", flush=True)
    for each in threads:
        each.join()
    print(json.dumps({"answered": len(answered), "codes": sorted(set(answered)), "failed": failed}))


main()
