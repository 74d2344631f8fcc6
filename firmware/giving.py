"""Owns what an upload gives, what is forgotten, and whose word it takes. Must not know seals, nor how one is asked."""

from emask import group, handshake, spec

_NONE = ()
_NO_CLAIM = b""


def _nothing(result):
    return result, 0, _NONE, _NO_CLAIM


async def give(device, certificate, alive, whole, flags, days):
    """(result, how, records, claim) for an ASK of the kiosk of this certificate; waits for the wearer if there is need.

    whole: the visit's transcript, for the short number. how: spec.BY_PROXY, spec.OF_F1, which has a claim, or 0.
    """
    if flags & spec.ASK_WIPE:
        return _nothing(await _wipe(device, alive, whole))
    f1 = bool(flags & spec.ASK_F1)
    if not (f1 or flags & spec.ASK_UPLOAD) or device.state.shelf or not 0 < days <= spec.INFECTIOUS_DAYS:
        return _nothing(spec.UPLOAD_NOT_ASKED)
    proxy = bool(flags & spec.ASK_PROXY)
    if proxy and (f1 or certificate.kind != spec.PROXY_KIOSK_KEY):
        return _nothing(spec.UPLOAD_NOT_AGREED)
    since, claim = device.own_slot() - days * device.identity.scheme.SLOTS_PER_DAY, _NO_CLAIM
    if f1:
        import second

        found = second.claim(device)
        if not found:
            return _nothing(spec.UPLOAD_NOTHING)
        since, claim = max(since, found[0]), found[1]
    from consent import Consent

    if not await Consent(device, alive, proxy).ask(handshake.number(whole)):
        return _nothing(spec.UPLOAD_NOT_AGREED)
    now = device.own_slot(), device.slot()
    entropy = device.board.entropy
    records = device.identity.publish(device.store, device.clock, device.anchors(), now, since, entropy, f1)
    if not records:
        return _nothing(spec.UPLOAD_NOTHING)
    import exempt

    # Who has no household marks as if it had one of its own: no record tells.
    secret = exempt.household(device) or entropy(group.SECRET_BYTES)
    most = spec.F1_RECORDS if f1 else spec.UPLOAD_RECORDS
    records = [group.marked(secret, record) for record in records[-most:]]
    return spec.UPLOAD_GIVEN, spec.OF_F1 if f1 else spec.BY_PROXY if proxy else 0, records, claim


async def _wipe(device, alive, whole):
    from consent import Consent

    if not await Consent(device, alive).ask(handshake.number(whole)):
        return spec.UPLOAD_NOT_AGREED
    import wipe

    await wipe.wipe(device)
    return spec.UPLOAD_WIPED
