"""A provider with one slow page, which notes when each record was sent."""

import json
import socket
import threading
import time

from programs import fetch


class SlowPage:
    """Serves a simulated list as one page for every request, record by record over this many
    seconds, and notes when it sends the last byte of each. `provider` is the simulator's URL."""

    def __init__(self, provider, of, seconds):
        self._seconds = seconds
        body = fetch(of, of.first_page(provider, of.size)).decode()
        self._records, self._end = self._cut(body)
        self._length = len(body.encode())
        self._lock = threading.Lock()
        self._left_ns = []
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._socket.close()

    def left_ns(self):
        """When each record of the last requested page was sent, by CLOCK_MONOTONIC."""
        with self._lock:
            return list(self._left_ns)

    @staticmethod
    def _cut(body):
        """The body cut after each record, and the bytes after the last record."""
        decoder = json.JSONDecoder()
        records = []
        begin = 0
        position = body.index('"participants": [') + len('"participants": [')
        while body[position] != "]":
            position += len(body[position:]) - len(body[position:].lstrip(", "))
            _, position = decoder.raw_decode(body, position)
            records.append(body[begin:position].encode())
            begin = position
        return records, body[begin:].encode()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as requests:
            try:
                while requests.readline().strip():
                    while requests.readline().strip():
                        pass
                    self._send(connection)
            except OSError:
                # The client has read enough, or has failed and reports that itself.
                pass

    def _send(self, connection):
        left_ns = []
        with self._lock:
            self._left_ns = left_ns
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {self._length}\r\n\r\n".encode())
        begin = time.monotonic()
        step = self._seconds / len(self._records)
        for number, record in enumerate(self._records):
            time.sleep(max(begin + number * step - time.monotonic(), 0))
            with self._lock:
                left_ns.append(time.monotonic_ns())
            connection.sendall(record)
        connection.sendall(self._end)
