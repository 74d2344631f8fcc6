"""Owns the headers by which a program's pages stay its own: no parts, copies or frames elsewhere. Knows no page."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class OwnPages:
    """ASGI middleware: adds the headers to every answer, but to those below the paths `but`, which may be cached.

    policy: the Content-Security-Policy's sources; who may frame a page is framed_by, nobody by default.
    """

    def __init__(self, app: ASGIApp, policy: str, framed_by: str = "'none'", but: tuple[str, ...] = ()) -> None:
        self._app, self._but = app, but
        whole = f"default-src 'none'; {policy}; base-uri 'none'; frame-ancestors {framed_by}"
        self._added = [
            (b"content-security-policy", whole.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cache-control", b"no-store"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start" and not scope["path"].startswith(self._but):
                message = {**message, "headers": [*message["headers"], *self._added]}
            await send(message)

        await self._app(scope, receive, send_more)
