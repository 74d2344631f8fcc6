"""Nothing of MicroPython's own Bluetooth is used by a bring-up but the name of the module."""


class UUID:
    def __init__(self, value):
        self.value = value
