"""Owns the words for what usually goes wrong, for staff who are not engineers. Knows no port."""

import errno
from dataclasses import dataclass

# code -> (what happened, what to do now)
WORDS = {
    "no_permission": (
        "This computer does not let you use the port.",
        "Add your user to the group of the port (Debian: sudo adduser $USER dialout), log out and in again.",
    ),
    "port_busy": (
        "Another program is using the port.",
        "Close other programs that talk to the board (a terminal, another flash station), then plug it in again.",
    ),
    "no_port": (
        "No board has shown up.",
        "Try another cable: many carry only power. Then another socket of the hub.",
    ),
    "no_answer": (
        "The board does not answer.",
        "Hold its BOOT button, plug it in, let go. If it stays silent, put it aside as broken.",
    ),
    "wrong_chip": (
        "This is another kind of board.",
        "Take it out. The bundle is for {wanted}, this is {found}.",
    ),
    "small_flash": (
        "The board's memory is too small.",
        "Take it out: it has {found}, 4 MB are needed.",
    ),
    "locked": (
        "The board was locked by somebody else.",
        "Take it out: secure boot or flash encryption is on ({found}), and it can't be used here.",
    ),
    "brown_out": (
        "The board loses power.",
        "Use a hub with its own power supply, and fewer boards at a time.",
    ),
    "unplugged": (
        "The cable came out.",
        "Plug the board in again, in any socket: it goes on where it stopped.",
    ),
    "bad_flash": (
        "What was written does not read back.",
        "Try once more with another cable. If it happens again, put the board aside as broken.",
    ),
    "no_micropython": (
        "The board was flashed but does not start.",
        "Unplug it, plug it in again. If it happens again, put it aside as broken.",
    ),
    "bad_bundle": (
        "The files to flash are damaged or not for this.",
        "Copy the bundle again from where it came from ({found}).",
    ),
    "refused_image": (
        "The token refuses the product.",
        "Ask who made the bundle: {found}.",
    ),
    "radio_deaf": (
        "The radio hears nothing.",
        "Is a working token, taken off the shelf, lying within a metre? If yes, put the board aside as broken.",
    ),
    "radio_address": (
        "The radio shows a fixed address.",
        "Put the board aside: it could be followed.",
    ),
    "no_hands": (
        "Nobody pressed the button.",
        "Press when it blinks and shakes. If it does neither, or the button does nothing, put it aside as broken.",
    ),
    "weak_battery": (
        "The battery is weak.",
        "Charge it or put in another ({found} mV, 3,500 are needed), then plug the board in again.",
    ),
    "no_printer": (
        "The label was not printed.",
        "Look at the printer (on, paper, cable), then: emask flash labels. The board is finished ({found}).",
    ),
    "no_disk": (
        "This computer's disk is full.",
        "Make room; nothing of the record is lost.",
    ),
    "unknown": (
        "Something else went wrong.",
        "Plug the board in again. If it happens again, put it aside and keep this line: {found}.",
    ),
}


class Mistake(Exception):
    """One of WORDS; the text is for staff."""

    def __init__(self, code: str, **values: object) -> None:
        self.code = code
        what, do = WORDS[code]
        self.what = what
        self.do = do.format_map({"found": "?", "wanted": "?", **values})
        super().__init__(f"{self.what} {self.do}")


@dataclass(frozen=True)
class _Rule:
    code: str
    words: tuple[str, ...]


# What pyserial, esptool, mpremote and the chip's own bootloader say, in lower case; the first that fits counts.
_RULES = (
    _Rule("no_permission", ("permission denied", "access is denied")),
    _Rule("port_busy", ("could not exclusively lock", "resource temporarily unavailable", "device or resource busy")),
    _Rule("bad_bundle", ("image. use --force",)),
    _Rule("no_disk", ("disk is full", "no space left")),
    _Rule("bad_flash", ("md5 of file does not match", "verify failed", "hash mismatch", "checksum error")),
    _Rule(
        "unplugged",
        ("device disconnected", "no such file or directory", "input/output error", "no such device",
         "device not configured", "write failed", "could not open port", "bad file descriptor", "clearcommerror",
         "failed to access"),
    ),
    _Rule("no_micropython", ("could not enter raw repl", "could not exec command", "timeout waiting for")),
    _Rule(
        "no_answer",
        ("failed to connect", "no serial data received", "wrong boot mode", "timed out", "invalid head of packet",
         "during raw paste", "complete raw paste",
         "packet content transfer stopped", "serial data stream stopped"),
    ),
)  # fmt: skip

_ERRNO = {
    errno.EACCES: "no_permission",
    errno.EPERM: "no_permission",
    errno.EBUSY: "port_busy",
    errno.EAGAIN: "port_busy",
    errno.ENOENT: "unplugged",
    errno.EIO: "unplugged",
    errno.ENODEV: "unplugged",
    errno.ENXIO: "unplugged",
    errno.EBADF: "unplugged",
    errno.ENOSPC: "no_disk",
}


def explain(error: BaseException) -> Mistake:
    """The Mistake that an exception of a library means."""
    if isinstance(error, Mistake):
        return error
    number = getattr(error, "errno", None)
    if number in _ERRNO:
        return Mistake(_ERRNO[number])
    text = " ".join(str(part) for part in error.args).lower()
    for rule in _RULES:
        if any(word in text for word in rule.words):
            return Mistake(rule.code)
    return Mistake("unknown", found=type(error).__name__)
