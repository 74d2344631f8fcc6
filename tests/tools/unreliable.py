"""Owns an application of static files that fails as a test tells it to. Asserts nothing."""

import contextlib

from starlette.responses import RedirectResponse
from starlette.staticfiles import StaticFiles


class Unreliable:
    """Serves files, and notes what was asked for. It fails as it is told:

    `cuts` times the line breaks after `cut` bytes of a list, `busy` answers are 503, `status` is the status of all.
    """

    def __init__(self, folder):
        self.files, self.asked, self.ranges = StaticFiles(directory=folder), [], True
        self.cut = self.cuts = self.busy = self.status = 0

    async def __call__(self, scope, receive, send):
        headers = dict(scope["headers"])
        self.asked.append((scope["path"], headers.get(b"range", b"").decode()))
        if not self.ranges:
            scope = {**scope, "headers": [item for item in scope["headers"] if item[0] != b"range"]}
        if self.status == 302:
            return await RedirectResponse(scope["path"])(scope, receive, send)
        left = self.cut

        async def failing(message):
            nonlocal left
            if message["type"] == "http.response.start" and (self.status or self.busy):
                message = {**message, "status": self.status or 503}
                self.busy -= bool(self.busy)
            body = message.get("body", b"")
            if self.cuts and scope["path"].endswith(".eml") and body:
                await send({**message, "body": body[:left], "more_body": True})
                left -= len(body)
                if left <= 0:
                    self.cuts -= 1
                    raise ConnectionAbortedError
                return
            await send(message)

        with contextlib.suppress(ConnectionAbortedError):
            await self.files(scope, receive, failing)

    def paths(self):
        return [path for path, _ in self.asked]
