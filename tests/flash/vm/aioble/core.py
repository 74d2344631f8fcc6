"""The controller of the board on the desk. HEARD, in the environment, is how many adverts a scan reports."""

import os


def ble_irq(event, data):
    for handler in handlers:
        handler(event, data)


def register_irq_handler(handler, shutdown):
    handlers.append(handler)


handlers = []


class _Ble:
    up = False
    mode = 0

    def active(self, on):
        self.up = on
        self.mode = 0

    def irq(self, handler):
        self.handler = handler

    def config(self, *args, addr_mode=None, **rest):
        if addr_mode is not None:
            self.mode = addr_mode
        if args == ("mac",):
            address = bytearray(os.urandom(6))
            address[0] = address[0] & 0x3F | (0xC0 if self.mode == 1 else 0)
            return (1 if self.mode else 0), bytes(address)
        return None

    def gap_advertise(self, interval_us, adv_data=None, connectable=True):
        pass

    def gap_scan(self, duration_ms, interval_us=0, window_us=0, active=False):
        for number in range(int(os.getenv("HEARD") or "1")):
            self.handler(5, (1, bytes(6), 3, -50 - number, memoryview(bytes(31))))


ble = _Ble()
