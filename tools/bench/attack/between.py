# Clients that stand between a kiosk's visit and its bleak client. Knows nothing of what is handed on.
from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Between:
    """Hands everything on to a client."""

    def __init__(self, client: Any) -> None:
        self.client = client

    @property
    def mtu_size(self) -> int:
        return self.client.mtu_size

    @property
    def services(self) -> Any:
        return self.client.services

    async def start_notify(self, characteristic: str, callback: Callable[..., Any]) -> None:
        await self.client.start_notify(characteristic, callback)

    async def write_gatt_char(self, characteristic: str, data: bytes, response: bool | None = None) -> None:
        await self.client.write_gatt_char(characteristic, data, response=response)


class Recorder(Between):
    """Notes what is written."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.written: list[bytes] = []

    async def write_gatt_char(self, characteristic: str, data: bytes, response: bool | None = None) -> None:
        self.written.append(bytes(data))
        await super().write_gatt_char(characteristic, data, response)
