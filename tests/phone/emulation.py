"""Owns Chromium with its emulated Bluetooth (DevTools, BluetoothEmulation), bridged to an air. Asserts nothing.

An air has find() -> (address, rssi_dbm) or None, connect(address), write(frame), read() -> bytes; the last three raise
Gone. The emulation can't push a notification, and does not tell that the page hung up: a page's frames are read.
"""

import base64

import pytest

from emask import spec
from tools.browser import NoBrowser, opened

_OK, _UNLIKELY, _NO_CONNECTION = 0, 0x0E, 0x3E
_LOOKS, _LOOK_MS = 100, 100


class Gone(Exception):
    """The token is out of reach."""


@pytest.fixture(scope="module")
def bluetooth_chromium():
    try:
        with opened("--enable-features=WebBluetooth") as browser:  # on Linux it is behind this flag
            yield browser
    except NoBrowser as error:
        pytest.skip(f"{error}; the phone's page is not tested in one")


class Emulation:
    """The adapter of `page`'s browser. Use as: with Emulation(browser, page, air)."""

    def __init__(self, browser, page, air):
        self._page, self._air, self._address = page, air, ""
        self._rx = ""
        self._browser = browser.new_browser_cdp_session()
        self._own = page.context.new_cdp_session(page)
        self._looking = False

    def __enter__(self):
        self._browser.send("BluetoothEmulation.enable", {"state": "powered-on", "leSupported": True})
        self._own.send("DeviceAccess.enable")
        self._own.on("DeviceAccess.deviceRequestPrompted", self._prompted)
        self._browser.on("BluetoothEmulation.gattOperationReceived", self._gatt)
        self._browser.on("BluetoothEmulation.characteristicOperationReceived", self._characteristic)
        return self

    def __exit__(self, *problem):
        self._browser.send("BluetoothEmulation.disable")
        self._browser.detach()
        self._own.detach()

    def _tell(self, method, **values):
        self._browser.send(f"BluetoothEmulation.{method}", values)

    # -- the browser asks which token

    def _prompted(self, prompt):
        device = {"id": prompt["id"], "deviceId": self._address}
        if self._looking and self._address in [shown["id"] for shown in prompt["devices"]]:
            self._looking = False
            self._own.send("DeviceAccess.selectPrompt", device)
        elif not self._looking:  # tokens of earlier presses may be in the list still
            self._looking = True
            self._show_token(prompt["id"])

    def _show_token(self, prompt):
        for _ in range(_LOOKS):
            found = self._air.find()
            if found:
                return self._advertise(*found)
            self._page.wait_for_timeout(_LOOK_MS)
        self._looking = False
        self._own.send("DeviceAccess.cancelPrompt", {"id": prompt})

    def _advertise(self, address, rssi_dbm):
        # Chromium 156 never answers if one of these is left out.
        record = {"name": "KT", "uuids": [spec.SERVICE_UUID], "manufacturerData": [], "appearance": 0, "txPower": 0}
        self._address = address
        self._tell("simulateAdvertisement", entry={"deviceAddress": address, "rssi": rssi_dbm, "scanRecord": record})

    # -- the page connects, writes and reads

    def _gatt(self, event):
        code = _OK
        try:
            if event["type"] == "connection":
                self._air.connect(event["address"])
                self._add_service(event["address"])
        except Gone:
            code = _NO_CONNECTION
        self._tell("simulateGATTOperationResponse", address=event["address"], type=event["type"], code=code)

    def _add_service(self, address):
        add = self._browser.send(
            "BluetoothEmulation.addService", {"address": address, "serviceUuid": spec.SERVICE_UUID}
        )
        for uuid, properties in (
            (spec.RX_UUID, {"write": True, "writeWithoutResponse": True}),
            (spec.TX_UUID, {"read": True, "notify": True}),
        ):
            made = self._browser.send(
                "BluetoothEmulation.addCharacteristic",
                {"serviceId": add["serviceId"], "characteristicUuid": uuid, "properties": properties},
            )
            self._rx = self._rx if uuid == spec.TX_UUID else made["characteristicId"]

    def _characteristic(self, event):
        answer = {"characteristicId": event["characteristicId"], "type": event["type"], "code": _OK}
        try:
            if event["type"] == "write":
                self._air.write(base64.b64decode(event["data"]))
            else:
                answer["data"] = base64.b64encode(self._air.read()).decode()
        except Gone:
            answer["code"] = _UNLIKELY
            self._tell("simulateCharacteristicOperationResponse", **answer)
            self._tell("simulateGATTDisconnection", address=self._address)
            return
        self._tell("simulateCharacteristicOperationResponse", **answer)


class FakeAir:
    """Tokens made of Python, one press after the other."""

    def __init__(self):
        self.token, self.presses, self.near, self.shown = None, 0, False, b""
        self._frames = {}

    def press(self, token):
        """The token's button; it takes a new address."""
        self.token, self.near, self.shown = token, True, b""
        self._frames = {}
        self.presses += 1
        token.notify = self._came
        token.connected()

    def _came(self, _sender, frame):
        self.shown = self._frames[frame[0]] = bytes(frame)

    def walk_away(self):
        self.near = False

    def find(self):
        return (f"C0:00:00:00:00:{self.presses:02X}", -50) if self.near else None

    def connect(self, address):
        self._reach()

    def write(self, frame):
        self._reach()
        if len(frame) == 2 and frame[1] == 4 and frame[0] in self._frames:
            self.shown = self._frames[frame[0]]
        else:
            self.token.write(frame)

    def read(self):
        self._reach()
        return self.shown

    def _reach(self):
        if not self.near:
            raise Gone
