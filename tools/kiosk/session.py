"""Owns one visit of one token, from greeting to farewell, in this order (SPEC 4). Knows bleak's API only.

BLINK -> OK, again and again                   while the wearer looks which token it is, if there is a page
HELLO -> NONCE; SESSION -> STATUS              who the kiosk is, the time, how the token is; ROOT -> OK before it, if
                                               the kiosk knows of a change of the root
ASK -> UPLOAD                                  in every visit, whether there is anything to ask for or not
LIST_OFFER -> LIST_WANT, LIST_DATA..., -> LIST_ACK     if the kiosk's list is newer than the token's; else the list of
                                               contacts, if there is one
BYE -> OK

Or a push, through a door that nobody pressed for: LIST_OFFER first, and BYE.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from emask import handshake, messages, spec
from tools import signing, wire
from tools.kiosk import identity
from tools.kiosk.channel import Channel, Client, VisitError
from tools.kiosk.folder import KioskFolder
from tools.kiosk.swap import END
from tools.kiosk.wish import Wish
from tools.lists import ListFile

WAIT_S = 15.0
_CLOCK_UNCERTAINTY_S = 2
_FOR_CLINICS = spec.ASK_PROXY | spec.ASK_HOUSEHOLD | spec.ASK_PAUSE | spec.ASK_DETAILS | spec.ASK_SWAP
_LIST_RESULTS = (
    "taken",
    "damaged on the way",
    "too big",
    "older than the token's",
    "not now",
    "not signed for this token",
    "of another region",
    "leaves a gap",
)
_GAP, _OLDER = _LIST_RESULTS[spec.LIST_GAP], _LIST_RESULTS[spec.LIST_OLD_SERIAL]
_UPLOAD_RESULTS = (
    "none",
    "taken",
    "the wearer did not agree",
    "the token has nothing to give",
    "wiped",
    "ready",
    "ready",
)
_MOST_TURNS = 120  # of a list: one for each block, and some to repeat
_NUDGE_S = 5.0  # while a person reads: the token waits 15 s for a message

Progress = Callable[[str, int, int], None]
Show = Callable[[tuple[int, int]], None]
Blink = Callable[[], Awaitable[None]]
Greet = Callable[[Blink], Awaitable[bool]]


@dataclass
class VisitResult:
    """What a visit did. `status`: fields of the token's STATUS; `list`: what became of the list, or "none"; `contacts`:
    of the list of contacts; `details`: how long, how near, how sure a contact was, 0 to 3 each, if the wearer asked and
    there was one; `ended`: the programme is over for this token, as it said or learnt in the visit.
    """

    status: dict[str, int] = field(default_factory=dict)
    list: str = "none"
    list_serial: int = 0
    contacts: str = "none"
    upload: str = "none"
    details: tuple[int, int, int] | None = None
    complete: bool = False
    ended: bool = False
    sent_bytes: int = 0


Decide = Callable[[dict[str, int]], Awaitable[Wish]]


class NotMine(VisitError):
    """The wearer says that it is another token."""


async def visit(
    client: Client,
    clock: Callable[[], float],
    folder: KioskFolder,
    *,
    wish: Wish | None = None,
    progress: Progress | None = None,
    show: Show | None = None,
    greet: Greet | None = None,
    decide: Decide | None = None,
) -> VisitResult:
    """Serve a token that `client` is connected to; `clock` gives UTC seconds. VisitError, or bleak's, if it breaks.

    `progress(what, done, total)` is told of the list's bytes; `show` gets the two numbers that the wearer compares
    with the token's pulses. An upload is in the folder before the token hears BYE. Where there are people:
    `greet(blink)` lets the wearer look which token blinks (False: another one, NotMine), and `decide(status)` tells
    them how it is and returns what they wish; it may take its time, but not longer than the token's whole visit.
    """
    wish = wish or Wish()
    channel = Channel(client, WAIT_S)
    result = VisitResult()
    await channel.open()
    if greet and not await greet(lambda: _blink(channel)):
        raise NotMine("the wearer says that it is another token")
    opened = await _open(channel, clock, folder, result, progress)
    if decide:
        wish = await _while_reading(channel, decide(result.status))
    answer = await _ask(channel, folder, opened, wish, int(clock()), result, show)
    if wish.swap and await wish.swap.go_on(channel, *answer, result.status["sightings"], progress):
        result.upload = "moved"
    if _takes_lists(wish, result):
        await _hand_lists(channel, folder, result, progress)
    await channel.ask(spec.BYE, b"", spec.OK)
    result.complete = True
    result.sent_bytes = channel.sent_bytes
    return result


def _takes_lists(wish: Wish, result: VisitResult) -> bool:
    """Whether it is worn from now on. Of a swap only the new token is, once it has all; it asks for all lists anew."""
    if wish.swap:
        result.status["list_serial"] = 0
        return result.upload == "moved" and wish.swap.stage == END
    on_shelf = result.status["state"] & spec.STATE_SHELF and not wish.handover
    return not on_shelf and not result.ended and result.upload != "wiped"


@dataclass(frozen=True)
class _Opened:
    whole: bytes
    keys: handshake.Keys
    kind: int  # of the kiosk's certificate


async def _blink(channel: Channel) -> None:
    await channel.ask(spec.BLINK, b"", spec.OK)


async def _while_reading(channel: Channel, reading: Awaitable[Wish]) -> Wish:
    """What the person wishes; the token is kept waiting meanwhile. VisitError, or bleak's, if it goes away."""
    task = asyncio.ensure_future(reading)
    try:
        while not (await asyncio.wait([task], timeout=_NUDGE_S))[0]:
            await channel.nudge()
    finally:
        if not task.done():
            task.cancel()
    return task.result()


async def _open(
    channel: Channel, clock: Callable[[], float], folder: KioskFolder, result: VisitResult, progress: Progress | None
) -> _Opened:
    own = identity.load(folder.path, clock())
    kind, nonce = await channel.ask(spec.HELLO, messages.pack(spec.HELLO, spec.PROTOCOL_VERSION), spec.NONCE)
    if kind != spec.NONCE or _checked(wire.unpack_nonce, nonce) != spec.PROTOCOL_VERSION:
        raise VisitError("the token speaks another protocol")
    await _show_root(channel, folder)
    if progress:
        progress("check", 1, 2)
    ephemeral = X25519PrivateKey.from_private_bytes(folder.chance(32))
    body = own.prove(nonce, signing.public_bytes(ephemeral), clock(), _CLOCK_UNCERTAINTY_S)
    kind, sealed = await channel.ask(spec.SESSION, body, spec.STATUS)
    if kind != spec.STATUS:
        raise VisitError("the token does not trust this kiosk")
    opening, enc = handshake.transcript(nonce, body), sealed[:32]
    if handshake.commitment(enc) != nonce:
        raise VisitError("the token shows another key than it promised")
    text = signing.unseal(ephemeral, handshake.STATUS_INFO + opening, sealed)
    if text is None:
        raise VisitError("the token's status is not sealed to this visit")
    if progress:
        progress("check", 2, 2)
    result.status, secret = _checked(wire.unpack_status, text)
    result.ended = bool(result.status["state"] & spec.STATE_ENDED)
    whole = handshake.shown(opening, enc)
    return _Opened(whole, handshake.Keys(whole, secret), own.facts.kind)


async def _show_root(channel: Channel, folder: KioskFolder) -> None:
    """Before anything of a new root the token must hear of it; one that knows it passes over it."""
    change = identity.root_change(folder.path)
    if change and (await channel.ask(spec.ROOT, change, spec.OK))[0] != spec.OK:
        raise VisitError("the token does not trust the change of the root")


async def _ask(
    channel: Channel,
    folder: KioskFolder,
    opened: _Opened,
    wish: Wish,
    now_s: int,
    result: VisitResult,
    show: Show | None,
) -> tuple[int, bytes]:
    """The result, and what is for the authority, or of a swap."""
    if wish.flags() & _FOR_CLINICS and opened.kind != spec.PROXY_KIOSK_KEY:
        raise VisitError("this kiosk is not certified for a clinic")
    if wish.code is not None:
        folder.make_room()  # what a token gives it gives once
    request = wire.pack_ask(opened.keys, wish.flags(), wish.days if wish.code else 0, wish.field())
    if show and wish.asks_wearer:
        show(wish.swap.number(opened.whole) if wish.swap else handshake.number(opened.whole))
    kind, body = await channel.ask(spec.ASK, request, spec.UPLOAD, wait_s=wish.wait_s)
    answer = wire.unpack_reply(opened.keys, body) if kind == spec.UPLOAD else None
    if answer is None:
        raise VisitError("the token's answer is not of this visit")
    outcome, grade, blob = answer
    result.details = wire.details(grade)
    asked: dict[int, object] = {spec.UPLOAD_GIVEN: wish.code, spec.UPLOAD_WIPED: wish.wipe or wish.swap}
    asked |= {spec.SWAP_READY: wish.swap, spec.SWAP_TAKEN: wish.swap}
    if outcome >= len(_UPLOAD_RESULTS) or not asked.get(outcome, True):
        raise VisitError("the token answers what it was not asked")
    if outcome == spec.UPLOAD_GIVEN:
        assert wish.code is not None
        folder.store_upload(wish.code, opened.whole, blob, now_s)
    result.upload = _UPLOAD_RESULTS[outcome]
    return outcome, blob


async def _hand_lists(channel: Channel, folder: KioskFolder, result: VisitResult, progress: Progress | None) -> None:
    """The list of the ill; the token takes one list at a time, so who had it is offered that of contacts."""
    held = result.status["list_serial"]
    found = folder.sound_lists()
    offered, contacts = folder.list_for(held, found), folder.list_of_contacts(found)
    if offered:
        result.list_serial = offered.serial
    if offered and held < offered.serial:
        result.list = await _hand_list(channel, offered, progress)
        result.ended = offered.ends and result.list == _LIST_RESULTS[0]
        return
    if offered:
        result.list = "had it"
    if contacts:
        result.contacts = await _hand_list(channel, contacts, progress)


async def push(client: Client, offers: list[ListFile], contacts: ListFile | None) -> tuple[str, int]:
    """Bring a list to a token whose door is open, in the first of these forms that leaves it no gap; to one that has it
    the list of contacts. What became of the last that was offered, and its serial.

    Who brings it need not say who they are, and is told nothing but numbers of the protocol. VisitError, or bleak's.
    """
    channel = Channel(client, WAIT_S)
    await channel.open()
    offered, *more = offers
    result = await _hand_list(channel, offered, None)
    other = more[0] if result == _GAP and more else contacts if result == _OLDER else None
    if other:
        offered = other
        result = await _hand_list(channel, offered, None)
    await channel.ask(spec.BYE, b"", spec.OK)
    return result, offered.serial


async def _hand_list(channel: Channel, offered: ListFile, progress: Progress | None) -> str:
    head = offered.data[: spec.LIST_OFFER_BYTES]
    kind, body = await channel.ask(spec.LIST_OFFER, head, spec.LIST_WANT, spec.LIST_ACK)
    for _ in range(_MOST_TURNS):
        if kind != spec.LIST_WANT:
            break
        kind, body = await _stream(channel, offered, _offset(body, offered.data), progress)
    return _list_result(kind, body)


async def _stream(channel: Channel, offered: ListFile, offset: int, progress: Progress | None) -> tuple[int, bytes]:
    """Send what is left of one block, and return what the token says of it."""
    data = offered.data
    end = offered.content_end(offset // spec.BLOCK_BYTES)
    while offset < end:
        piece = data[offset : min(offset + channel.piece_bytes, end)]
        await channel.push(spec.LIST_DATA, messages.pack_list_data(offset, piece))
        offset += len(piece)
        if progress:
            progress("list", offset, len(data))
        answer = channel.pending()
        if answer is not None and answer[0] in (spec.LIST_WANT, spec.LIST_ACK, spec.REFUSED):
            return answer
    return await channel.receive(spec.LIST_WANT, spec.LIST_ACK)


def _offset(body: bytes, data: bytes) -> int:
    (offset,) = _checked(lambda given: messages.unpack(spec.LIST_WANT, given), body)
    if offset >= len(data):
        raise VisitError("the token asks for what lies behind the list's end")
    return offset


def _list_result(kind: int, body: bytes) -> str:
    if kind != spec.LIST_ACK:
        return "refused by the token"
    (result,) = _checked(lambda given: messages.unpack(spec.LIST_ACK, given), body)
    return _LIST_RESULTS[result] if result < len(_LIST_RESULTS) else f"answer {result}"


def _checked(unpack: Callable[[bytes], object], body: bytes):
    """unpack(body); VisitError if the token's bytes are malformed."""
    try:
        return unpack(body)
    except ValueError as error:
        raise VisitError(f"an answer of the token is malformed: {error}") from None
