"""Owns what a token tells a kiosk of itself: battery, list, alert, counters as classes. Must not know who asks."""

import second
import settings

from emask import alert, handshake, spec


def fields(device):
    """The values of a STATUS, in the order of SPEC 4.3."""
    state = device.state
    store = device.store
    standing = device.alert_open()
    unsaid = device.alert_unsaid()
    lesser = second.lesser(device)
    bits = spec.STATE_SHELF if state.shelf else 0
    bits |= spec.STATE_TIME_KNOWN if device.clock.anchored else 0
    bits |= spec.STATE_ALERT if standing else 0
    if standing:
        bits |= spec.STATE_ALERT_HEARD if device.alert[2] & alert.HEARD else 0
    elif lesser:
        bits |= spec.STATE_LESSER
    bits |= spec.STATE_STORE_FULL if state.full else 0
    bits |= spec.STATE_STORE_WORN if store.bad_blocks else 0
    bits |= spec.STATE_LIST_WAITS if device.list_waits else 0
    bits |= spec.STATE_ENDED if state.ended else 0
    return (
        spec.PROTOCOL_VERSION,
        settings.FIRMWARE_VERSION,
        bits,
        min(device.board.battery_mv(), 0xFFFF),
        device.list_info.sure,
        device.list_info.issued,
        device.alert[0] if standing else spec.ALERT_TAKEN_BACK if unsaid else 0,
        handshake.bucket(store.about(), 0x80000000),
        handshake.bucket(state.adverts, 0x80000000),
        handshake.bucket(state.dropped, 0x8000),
        handshake.bucket(state.resets, 0x8000),
        handshake.bucket(store.damaged, 0x8000),
    )
