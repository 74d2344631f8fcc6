"""Owns one visit of one token: time, list, upload, farewell, in this order (SPEC, visit). Knows bleak's API only.

HELLO or HANDOVER -> STATUS
LIST_OFFER -> LIST_WANT, LIST_DATA..., LIST_END -> LIST_ACK     if the kiosk's list is newer than the token's
UPLOAD_REQUEST -> UPLOAD or REFUSED                            if there is a code
BYE -> OK
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from emask import keylist, messages, spec
from emask import scheme as schemes
from tools.kiosk.channel import Channel, Client, VisitError
from tools.kiosk.folder import KeyRecord, KioskFolder
from tools.lists import ListFile

WAIT_S = 15.0
_CLOCK_UNCERTAINTY_S = 2
_LIST_RESULTS = ("taken", "damaged on the way", "too big", "older than the token's", "out of order")
_MOST_TURNS_BACK = 8

Progress = Callable[[str, int, int], None]


@dataclass
class VisitResult:
    """What a visit did. `status`: fields of the token's STATUS; `list`: what became of the list, or "none"."""

    status: dict[str, int] = field(default_factory=dict)
    list: str = "none"
    list_serial: int = 0
    uploaded: int = 0
    upload: str = "none"
    complete: bool = False
    sent_bytes: int = 0


async def visit(
    client: Client,
    clock: Callable[[], float],
    folder: KioskFolder,
    *,
    handover: bool = False,
    upload_code: str | None = None,
    upload_days: int = spec.INFECTIOUS_DAYS,
    progress: Progress | None = None,
) -> VisitResult:
    """Serve a token that `client` is connected to; `clock` gives UTC seconds. VisitError, or bleak's, if it breaks.

    `progress(what, done, total)` is told of the list's bytes. An upload is in the folder before the token hears BYE.
    """
    channel = Channel(client, WAIT_S)
    result = VisitResult()
    await channel.open()
    await _greet(channel, clock, handover, result)
    await _hand_list(channel, folder.newest_list(), result, progress)
    if upload_code is not None:
        await _take_upload(channel, folder, upload_code, upload_days, int(clock()), result)
    await channel.ask(spec.BYE, b"", spec.OK)
    result.complete = True
    result.sent_bytes = channel.sent_bytes
    return result


async def _greet(channel: Channel, clock: Callable[[], float], handover: bool, result: VisitResult) -> None:
    now_s = clock()
    greeting = spec.HANDOVER if handover else spec.HELLO
    body = messages.pack(greeting, spec.PROTOCOL_VERSION, int(now_s), int(now_s * 1000) % 1000, _CLOCK_UNCERTAINTY_S, 0)
    kind, answer = await channel.ask(greeting, body, spec.STATUS)
    if kind != spec.STATUS:
        raise VisitError("the token refused the visit")
    result.status = _status(answer)


async def _hand_list(
    channel: Channel, offered: ListFile | None, result: VisitResult, progress: Progress | None
) -> None:
    if offered is None:
        return
    result.list_serial = offered.serial
    if result.status["list_serial"] >= offered.serial:
        result.list = "had it"
        return
    kind, body = await channel.ask(
        spec.LIST_OFFER, offered.data[: spec.LIST_HEADER_BYTES], spec.LIST_WANT, spec.LIST_ACK
    )
    for _ in range(_MOST_TURNS_BACK):
        if kind != spec.LIST_WANT:
            break
        answer = await _stream(channel, offered.data, _offset(body, offered.data), progress)
        if answer is None:
            answer = await channel.ask(spec.LIST_END, offered.digest, spec.LIST_ACK, spec.LIST_WANT)
        kind, body = answer
    result.list = _list_result(kind, body)


async def _stream(channel: Channel, data: bytes, offset: int, progress: Progress | None) -> tuple[int, bytes] | None:
    """Send the list from `offset` on; a message of the token that comes meanwhile ends it and is returned."""
    while offset < len(data):
        piece = data[offset : offset + spec.LIST_DATA_BYTES]
        await channel.send(spec.LIST_DATA, messages.pack_list_data(offset, piece))
        offset += len(piece)
        if progress:
            progress("list", offset, len(data))
        answer = channel.pending()
        if answer is not None and answer[0] in (spec.LIST_WANT, spec.LIST_ACK, spec.REFUSED):
            return answer
    return None


async def _take_upload(
    channel: Channel, folder: KioskFolder, code: str, days: int, now_s: int, result: VisitResult
) -> None:
    request = messages.pack(spec.UPLOAD_REQUEST, days, code.encode())
    kind, body = await channel.ask(spec.UPLOAD_REQUEST, request, spec.UPLOAD)
    if kind == spec.REFUSED:
        result.upload = "refused by the token"
        return
    scheme, records = _records(body)
    if records:
        folder.store_upload(code, scheme, records, now_s)
    result.uploaded, result.upload = len(records), "taken" if records else "empty"


def _status(body: bytes) -> dict[str, int]:
    return dict(zip(messages.STATUS_FIELDS, _fields(spec.STATUS, body), strict=True))


def _offset(body: bytes, data: bytes) -> int:
    (offset,) = _fields(spec.LIST_WANT, body)
    if offset > len(data):
        raise VisitError("the token asks for what lies behind the list's end")
    return offset


def _list_result(kind: int, body: bytes) -> str:
    if kind != spec.LIST_ACK:
        return "refused by the token"
    (result,) = _fields(spec.LIST_ACK, body)
    return _LIST_RESULTS[result] if result < len(_LIST_RESULTS) else f"answer {result}"


def _records(body: bytes) -> tuple[str, list[KeyRecord]]:
    """The scheme's name and the records of an UPLOAD. A gaen key is the one that ends with its 16 zeros of padding."""
    try:
        records = [KeyRecord(*keylist.unpack_record(packed)) for packed in messages.unpack_upload(body)]
    except (messages.MessageError, keylist.ListError) as error:
        raise VisitError(f"the token's upload is malformed: {error}") from None
    short = schemes.get(schemes.GAEN).KEY_BYTES
    name = "gaen" if records and not any(any(record.key[short:]) for record in records) else "bluezone"
    return name, records


def _fields(kind: int, body: bytes) -> tuple:
    try:
        return messages.unpack(kind, body)
    except messages.MessageError as error:
        raise VisitError(f"an answer of the token is malformed: {error}") from None
