"""Owns the station's plan: how long a batch takes one person with a hub, from a bundle's real sizes. Touches no port.

Bytes are those of the bundle at hand, as they go over the cable; rates and hands are assumptions with their source.
"""

import heapq
import zlib
from dataclasses import dataclass

from tools.firmware.bundle import Bundle
from tools.flash.repl import install_bytes
from tools.flash.rom import DATA_END, DATA_START

_STUB_BYTES = 7_300  # esptool's stub and its talk, counted on a run against the mock bootloader
_REPL_BYTES = 1_300  # settings, provisioning and tests by raw REPL, counted likewise


@dataclass(frozen=True)
class Rates:
    """Seconds and bytes. [E] our estimate, [DS] a flash data sheet's typical value."""

    baud: int = 460_800  # 10 bits a byte
    repl_bytes_s: int = 8_000  # [E] 115,200 baud less the raw REPL's turns
    erase_block_s: float = 0.15  # [DS] 64 KB
    start_s: float = 6.0  # [E] bootloader, two starts, the copy of the image, ports that come back
    verify_s: float = 8.0  # [E] Ed25519 in Python on the chip
    tests_s: float = 5.0  # provisioning, 3 s of radio
    hands_plug_s: float = 8.0  # [E] take, plug in
    hands_press_s: float = 4.0  # [E] see, press
    hands_label_s: float = 12.0  # [E] print, stick, unplug, put away


def machine_s(bundle: Bundle, rates: Rates) -> dict[str, float]:
    """Seconds of a board's own time before and after the press."""
    base = sum(len(zlib.compress(part.path.read_bytes(), 9)) for part in bundle.parts) + _STUB_BYTES
    erased = (DATA_END - DATA_START + sum(part.size for part in bundle.parts)) / 65536
    product = install_bytes(bundle.product) + _REPL_BYTES
    return {
        "base": base * 10 / rates.baud + erased * rates.erase_block_s,
        "product": product / rates.repl_bytes_s + rates.verify_s,
        "start": rates.start_s + rates.verify_s,  # the base checks once more, whatever way an image came
        "tests": rates.tests_s,
    }


def simulate(boards: int, places: int, own_s: float, rates: Rates) -> float:
    """Seconds until the last of `boards` is put away: one person, `places` sockets, events in order."""
    person = 0.0
    waiting: list[tuple[float, int, str]] = []
    number = 0
    for number in range(min(boards, places)):
        person += rates.hands_plug_s
        heapq.heappush(waiting, (person + own_s, number, "press"))
    started = number + 1 if boards else 0
    while waiting:
        ready, which, what = heapq.heappop(waiting)
        person = max(person, ready) + rates.hands_press_s + rates.hands_label_s
        if started < boards:
            person += rates.hands_plug_s
            heapq.heappush(waiting, (person + own_s, started, what))
            started += 1
    return person
