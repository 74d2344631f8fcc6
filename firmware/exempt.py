"""Owns what only a clinic's kiosk may set or ask for: household, pauses, an alert's details. Knows no matching."""

from array import array

from emask import group, spec


def obey(device, certificate, flags, field):
    """Do what an ASK wishes, if the kiosk may; returns the alert's details, if they were asked for, else 0."""
    if certificate.kind != spec.PROXY_KIOSK_KEY or device.state.shelf:
        return 0
    if flags & spec.ASK_HOUSEHOLD:
        device.store.append(spec.HOUSEHOLD, device.slot(), field[: group.SECRET_BYTES])
    if flags & spec.ASK_PAUSE:
        _pause(device, min(spec.PAUSE_MAX_MIN, field[0] | field[1] << 8))
    return device.alert[1] if flags & spec.ASK_DETAILS and device.alert_open() else 0


def household(device):
    """The secret of the own household, or None."""
    found = device.store.latest(spec.HOUSEHOLD)
    return found[1] if found and any(found[1]) else None


def pauses(device):
    """For each pause two UTC minutes: its first, and the first after it."""
    found = device.store.latest(spec.PAUSES)
    return array("I", found[1] if found else b"")


def _pause(device, minutes):
    now = device.own_s() // 60
    kept = pauses(device)
    if len(kept) and kept[-1] > now:
        kept[-1] = now
    if minutes:
        kept.append(now)
        kept.append(now + minutes)
    device.store.append(spec.PAUSES, device.slot(), bytes(kept[-spec.PAUSE_FIELDS :]))
