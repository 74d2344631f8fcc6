"""Owns the station's local page: the same places as on the terminal, for a screen above the hub. Changes nothing."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_PAGE = Path(__file__).with_name("page.html").read_bytes()


class Page:
    """A server on this computer only. state() -> what is shown."""

    def __init__(self, state: Callable[[], dict[str, Any]], port: int = 0) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host = (self.headers.get("Host") or "").rpartition(":")[0]
                if host not in ("127.0.0.1", "localhost"):  # another site's name that was bent to this address
                    self.send_error(403)
                elif self.path == "/":
                    self._send("text/html; charset=utf-8", _PAGE)
                elif self.path == "/state":
                    self._send("application/json", json.dumps(state()).encode())
                else:
                    self.send_error(404)

            def _send(self, kind: str, data: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
