"""A way to a server that can be made slow, or a liar."""

import socket
import threading
import time
from contextlib import suppress


class SlowPath:
    """Passes bytes on to a port, answers after ``delay_s``, or ``rubbish`` instead of them.

    Attributes:
        port: To connect to.
    """

    def __init__(self, port):
        self._far = port
        self.delay_s = 0.0
        self.rubbish = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._far))
                except OSError:
                    near.close()
                    continue
                self._join(near, far)

    def _join(self, near, far):
        for each in (near, far):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, sink, is_answer in ((near, far, False), (far, near, True)):
            threading.Thread(
                target=self._pass_on, args=(source, sink, is_answer), daemon=True
            ).start()

    def _pass_on(self, source, sink, is_answer):
        with suppress(OSError):
            while data := source.recv(65536):
                if is_answer:
                    time.sleep(self.delay_s)
                    data = self.rubbish or data
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
