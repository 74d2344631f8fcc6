"""Owns the station's local page: the same places as on the terminal, for a screen above the hub. Changes nothing."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Flash station</title>
<style>body{font:20px sans-serif;margin:1em;max-width:60em}
li{list-style:none;border:2px solid #555;padding:.5em;margin:.4em}
.done{border-color:#060;background:#e8f6e8}.stopped{border-color:#900;background:#fbeaea}.press{border-color:#00c}
progress{width:100%}</style><h1>Flash station</h1><p id="sum" role="status"></p><ul id="places"></ul>
<script>
const WORDS={waiting:"Waiting",working:"Working",press:"PRESS",done:"DONE",stopped:"STOP"};
async function look(){try{const s=await (await fetch("state")).json();
document.getElementById("sum").textContent="Finished: "+s.done;
const ul=document.getElementById("places");
ul.replaceChildren(...s.places.map(p=>{const li=document.createElement("li");
li.className=p.phase;const b=document.createElement("b");b.textContent=WORDS[p.phase]+" ";
li.append(b,p.port+" "+p.label+" "+p.words);
const g=document.createElement("progress");g.max=1;g.value=p.all;
g.setAttribute("aria-label",p.port);li.append(g);return li}));
}catch(e){document.getElementById("sum").textContent="The station is not running."}setTimeout(look,500)}look()
</script></html>
"""


class Page:
    """A server on this computer only. state() -> what is shown."""

    def __init__(self, state: Callable[[], dict[str, Any]], port: int = 0) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host = (self.headers.get("Host") or "").rpartition(":")[0]
                if host not in ("127.0.0.1", "localhost"):  # another site's name that was bent to this address
                    self.send_error(403)
                elif self.path == "/":
                    self._send("text/html; charset=utf-8", _PAGE.encode())
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
