"""Owns which of the tokens in the air lies on the tray: the strongest by a margin. Knows no token's content.

The address is a visit's own and is forgotten with it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Any

from emask import spec

SETTLE_S = 1.5  # to hear enough adverts of all that are near
_FRESH_S = 3.0
_MARGIN_DB = 8
_WEAKEST_DBM = -80
_LOOK_S = 0.25
_SAMPLES = 16


class Nearest:
    """Levels of connectable tokens by address."""

    def __init__(self) -> None:
        self._heard: dict[str, deque[tuple[float, int]]] = {}
        self._since: dict[str, float] = {}
        self.devices: dict[str, Any] = {}

    def add(self, address: str, device: Any, rssi_dbm: int, now_s: float) -> None:
        self._heard.setdefault(address, deque(maxlen=_SAMPLES)).append((now_s, rssi_dbm))
        self._since.setdefault(address, now_s)
        self.devices[address] = device

    def forget(self, address: str) -> None:
        self._heard.pop(address, None)
        self._since.pop(address, None)
        self.devices.pop(address, None)

    def choice(self, now_s: float) -> tuple[str, str]:
        """("none" or "wait" or "two", "") or ("one", address)."""
        for address in [a for a, heard in self._heard.items() if heard[-1][0] < now_s - _FRESH_S]:
            self.forget(address)
        levels = sorted(((self.level(a, now_s), a) for a in self._heard), reverse=True)
        levels = [(level, address) for level, address in levels if level >= _WEAKEST_DBM]
        if not levels:
            return "none", ""
        if now_s - min(self._since[address] for _, address in levels) < SETTLE_S:
            return "wait", ""
        if len(levels) > 1 and levels[0][0] - levels[1][0] < _MARGIN_DB:
            return "two", ""
        return "one", levels[0][1]

    def level(self, address: str, now_s: float) -> float:
        return median(level for at_s, level in self._heard[address] if at_s >= now_s - _FRESH_S)


async def find(
    scanner_cls: Any,
    resting: dict[str, float],
    two: Callable[[bool], None],
    stop: Callable[[], bool],
    door: Callable[[Any], None] = lambda device: None,
) -> tuple[Any, float] | None:
    """(bleak device, level in dBm) of the token on the tray, or None once stop() says so. BleakError: no radio.

    resting: address -> loop time until which it is passed over. two(True or False): whether two are equally near.
    door(device): of a token that nobody pressed.
    """
    loop, nearest = asyncio.get_running_loop(), Nearest()

    def heard(device: Any, advertisement: Any) -> None:
        uuids = [uuid.lower() for uuid in advertisement.service_uuids]
        if spec.SERVICE_UUID in uuids:
            nearest.add(device.address, device, advertisement.rssi, loop.time())
        elif spec.DOOR_UUID in uuids:
            door(device)

    async with scanner_cls(detection_callback=heard, service_uuids=[spec.SERVICE_UUID, spec.DOOR_UUID]):
        while not stop():
            await asyncio.sleep(_LOOK_S)
            for address in [a for a in nearest.devices if loop.time() < resting.get(a, 0.0)]:
                nearest.forget(address)
            verdict, address = nearest.choice(loop.time())
            two(verdict == "two")
            if verdict == "one":
                return nearest.devices[address], nearest.level(address, loop.time())
    return None
