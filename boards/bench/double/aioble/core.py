# The double's root: the BLE object, who hears irqs, who is told of a stop. Knows no role.
import bluetooth

log_level = 1
_heard_by = []
_told_of_stop = []


class GattError(Exception):
    """A peer refused; _status is NimBLE's code."""

    def __init__(self, status):
        self._status = status


def _log(level, mark, args):
    if log_level >= level:
        print("[aioble]", mark, *args)


def log_error(*args):
    _log(1, "E:", args)


def log_warn(*args):
    _log(2, "W:", args)


def log_info(*args):
    _log(3, "I:", args)


def ensure_active():
    if not ble.active():
        ble.active(True)


def config(*args, **kwargs):
    ensure_active()
    return ble.config(*args, **kwargs)


def register_irq_handler(irq, shutdown):
    """irq(event, data) is asked in the order of registration, until one returns something; shutdown() at stop()."""
    if irq:
        _heard_by.append(irq)
    if shutdown:
        _told_of_stop.append(shutdown)


def stop():
    ble.active(False)
    for shutdown in _told_of_stop:
        shutdown()


def ble_irq(event, data):
    for irq in _heard_by:
        answer = irq(event, data)
        if answer is not None:
            return answer
    return None


ble = bluetooth.BLE()
ble.irq(ble_irq)
