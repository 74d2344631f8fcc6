"""Owns what an alert rests on, and what becomes of it when a list withdraws records. Must not know how a list came."""

from emask import alert, met, spec


def _kept(device):
    found = device.store.latest(spec.MET)
    return met.unpack(found[1] if found else b"")


def _keep(device, *fields):
    device.store.append(spec.MET, device.slot(), met.pack(*fields))


def remember(device, decision, records):
    """A list decided, by these records; they are durable before the alert is. True: it is a new alert."""
    known = device.alert
    new = alert.renewed(known, decision, device.list_info.serial)
    if new:
        _keep(device, known[0] if known else 0, records)
        device.set_alert(new)
    elif decision and not known[2] & alert.TAKEN_BACK:
        before, old, more = _kept(device)
        fresh = [record for record in records if record not in old]
        if fresh and decision[0] > before:
            _keep(device, before, old + fresh, more)
    return bool(new)


def rest(device, header):
    """Of the records that the alert rests on those that are left, or None if none of them was withdrawn."""
    known = device.alert
    if not known or known[2] & alert.TAKEN_BACK:
        return None
    records = _kept(device)[1]
    left = [record for record in records if met.mark(record[:32], header.serial) not in header.withdrawn]
    return left if len(left) < len(records) else None


def judge(device, left, decision):
    """What these records, which are left, come to: another alert, or none any more, and the wearer is told so.

    The alert is durable first: after a cut between the two all of this happens again, and ends the same.
    """
    known = device.alert
    before, _, more = _kept(device)
    if not more:  # else nobody knows here what the others come to
        next_ms = device.alert_next_ms
        device.set_alert(alert.judged(known, decision) if decision else alert.taken_back(known, before))
        if decision:
            device.alert_next_ms = next_ms
    _keep(device, before, left, more)
