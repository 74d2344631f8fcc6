"""Owns what may be wrong with a board on the desk, as changes to the mock of its bootloader. Knows no station."""

from esp32_mock_bootloader import protocol, server


def small():
    """A flash chip of 1 MB."""
    protocol.MOCK_FLASH_ID = 0x00144020


def rot():
    """A flash that loses a bit of what was written before it is read back."""
    genuine = server.FlashImage.md5_stub_response

    def digest(self, payload, *, stub=False):
        self.data[int.from_bytes(payload[:4], "little")] ^= 1
        return genuine(self, payload, stub=stub)

    server.FlashImage.md5_stub_response = digest


def locked():
    """Secure boot is on, and flash encryption."""
    genuine = server.handle_get_security_info

    def info(session):
        frame = bytearray(genuine(session))
        frame[9:14] = bytes((1, 0, 0, 0, 1))  # after the frame's first sign and head: flags, count
        return bytes(frame)

    server.handle_get_security_info = info


def mute(port, says: bytes):
    """A board that never answers; what it says instead, whenever it is spoken to."""
    while True:
        if port.read(0.1):
            port.write(says)


FAULTS = {"small": small, "rot": rot, "locked": locked}
SAYS = {"silent": b"", "brown_out": b"ESP-ROM:esp32c3\r\nBrownout detector was triggered\r\n\r\n"}
