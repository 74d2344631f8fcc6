# What garbage looks like: random bytes, recorded visits changed by frame and by message, forged lists. Knows no token.
from __future__ import annotations

import random
import struct
from collections.abc import Iterator

from emask import frames, messages, spec
from tools.lists import ListFile

_LONGEST = 260  # more than a frame may have
_MOST_OF_A_VISIT = 60
_KINDS = (*range(1, 10), *range(64, 73))


class Mutations:
    """visits: frames of real visits; bodies: their messages, kind and body; forged: a list that nobody signed."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.visits: list[list[bytes]] = []
        self.bodies: list[tuple[int, bytes]] = []
        self.forged = b""

    def noise(self, room: int) -> Iterator[bytes]:
        """Random bytes of every length."""
        rng = self.rng
        for _ in range(rng.randrange(1, 8)):
            yield rng.randbytes(rng.choice((0, 1, 2, 3, 5, 20, room, rng.randrange(_LONGEST))))

    def mutated_visit(self, room: int) -> Iterator[bytes]:
        """A recorded visit, some of its frames changed, twice over."""
        rng = self.rng
        written = [frame[:room] for frame in rng.choice(self.visits)][:_MOST_OF_A_VISIT]
        start = rng.randrange(len(written)) if rng.random() < 0.3 else 0
        at = rng.randrange(len(written))
        for number, frame in enumerate(written[start:] * 2):
            if number + start >= at and rng.random() < 0.5:
                yield from self.mutated(frame)
            else:
                yield frame

    def mutated(self, frame: bytes) -> list[bytes]:
        """What is sent in place of one frame."""
        rng, data = self.rng, bytearray(frame)
        how = rng.randrange(12)
        if how > 8 and len(data) > 5:
            data[rng.randrange(5, len(data))] ^= 1 << rng.randrange(8)
        elif how == 0:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif how == 1:
            del data[rng.randrange(len(data)) :]
        elif how == 2:
            data += rng.randbytes(rng.randrange(1, 40))
        elif how == 3:
            return [frame, frame]
        elif how == 4:
            return []
        elif how == 5:
            data[:1] = bytes((rng.randrange(256),))
        elif how == 6:
            data[1:2] = bytes((rng.randrange(256),))
        elif how == 7:
            return [bytes((rng.randrange(256), spec.FRAME_SHOW)), frame]
        else:
            at = rng.randrange(len(data))
            data[at : at + rng.randrange(9)] = rng.randbytes(rng.randrange(9))
        return [bytes(data)]

    def messages(self, room: int) -> Iterator[bytes]:
        """Well cut into frames: what they say is the garbage."""
        rng, sequence = self.rng, self.rng.choice((0, 0, 250))
        if rng.random() < 0.8:
            yield from frames.split(spec.HELLO, b"\2", room, sequence)
            sequence += 1
        for _ in range(rng.randrange(5, 40)):
            kind, body = self._message()
            for frame in frames.split(kind, body, room, sequence):
                yield frame
                sequence += 1

    def forged_list(self, room: int) -> Iterator[bytes]:
        """A whole list, first thing, as anyone may bring one; but not as the authority signed it."""
        data, sequence = self.forged, 0
        pieces = [(spec.LIST_OFFER, data[: spec.LIST_OFFER_BYTES])]
        pieces += [
            (spec.LIST_DATA, messages.pack_list_data(at, data[at : at + spec.LIST_DATA_BYTES]))
            for at in range(0, len(data), spec.LIST_DATA_BYTES)
        ]
        for kind, body in pieces:
            for frame in frames.split(kind, body, room, sequence):
                yield frame
                sequence += 1

    def _message(self) -> tuple[int, bytes]:
        rng = self.rng
        kind, body = rng.choice(self.bodies)
        how = rng.randrange(6)
        if how == 0:
            return rng.randrange(256), rng.randbytes(rng.randrange(513))
        if how == 1:
            return rng.choice(_KINDS), body
        if how == 2:
            return rng.choice(_KINDS), rng.randbytes(rng.choice((0, 1, 4, 52, 178, 249, 480, 512)))
        if how == 3 and body:
            at = rng.randrange(len(body))
            return kind, body[:at] + bytes((body[at] ^ 1 << rng.randrange(8),)) + body[at + 1 :]
        if how == 4:
            return spec.LIST_DATA, struct.pack("<I", rng.choice((0, 240, 4096, 1 << 31, rng.getrandbits(32)))) + body[
                :240
            ]
        return kind, body


def forged(whole: ListFile) -> bytes:
    """What of a list without records is sent, one bit of its signature flipped."""
    sent = bytearray(whole.data[: whole.content_end(0)])
    sent[-1] ^= 1
    return bytes(sent)


def joined(written: list[bytes]) -> list[tuple[int, bytes]]:
    joiner = frames.Joiner(512)
    whole = [joiner.feed(frame) for frame in written if not (len(frame) == 2 and frame[1] == spec.FRAME_SHOW)]
    return [(message[0], bytes(message[1])) for message in whole if message]
