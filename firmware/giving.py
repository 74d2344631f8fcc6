"""Owns what an upload gives, what is forgotten, and whose word it takes. Must not know seals, nor how one is asked."""

from emask import group, handshake, spec

_NONE = ()


async def give(device, certificate, alive, whole, flags, days):
    """(result, how, records) for an ASK of the kiosk of this certificate; waits for the wearer if there is need.

    whole: the visit's transcript, for the short number. how: spec.BY_PROXY or 0.
    """
    if flags & spec.ASK_WIPE:
        return await _wipe(device, alive, whole), 0, _NONE
    if not flags & spec.ASK_UPLOAD or device.state.shelf or not 0 < days <= spec.INFECTIOUS_DAYS:
        return spec.UPLOAD_NOT_ASKED, 0, _NONE
    proxy = bool(flags & spec.ASK_PROXY)
    if proxy and certificate.kind != spec.PROXY_KIOSK_KEY:
        return spec.UPLOAD_NOT_AGREED, 0, _NONE
    from consent import Consent

    if not await Consent(device, alive, proxy).ask(handshake.number(whole)):
        return spec.UPLOAD_NOT_AGREED, 0, _NONE
    now = device.own_slot(), device.slot()
    records = device.identity.publish(device.store, device.clock, device.anchors(), now, days, device.board.entropy)
    if not records:
        return spec.UPLOAD_NOTHING, 0, _NONE
    import exempt

    # Who has no household marks as if it had one of its own: no record tells.
    secret = exempt.household(device) or device.board.entropy(group.SECRET_BYTES)
    records = [group.marked(secret, record) for record in records[-spec.UPLOAD_RECORDS :]]
    return spec.UPLOAD_GIVEN, spec.BY_PROXY if proxy else 0, records


async def _wipe(device, alive, whole):
    from consent import Consent

    if not await Consent(device, alive).ask(handshake.number(whole)):
        return spec.UPLOAD_NOT_AGREED
    import wipe

    await wipe.wipe(device)
    return spec.UPLOAD_WIPED
