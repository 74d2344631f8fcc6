"""Owns a web server in a thread, for an application that a test wrote or wrapped. Asserts nothing."""

import asyncio
import contextlib
import socket
import threading

import uvicorn


@contextlib.contextmanager
def served(app):
    """The address at which `app` answers."""
    listening = socket.create_server(("127.0.0.1", 0))
    web = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(web.serve([listening])))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        web.should_exit = True
        thread.join(10)
