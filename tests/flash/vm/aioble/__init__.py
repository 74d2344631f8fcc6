"""A radio for the board on the desk: an address of its own at each start, one advert heard, no GATT. Knows no test."""

from . import core


def stop():
    core.ble.active(False)


class DeviceDisconnectedError(Exception):
    pass
