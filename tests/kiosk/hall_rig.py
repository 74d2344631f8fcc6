"""Owns a whole kiosk with tokens made of Python, its loop in a thread at four times true time. Asserts nothing."""

import asyncio
import socket
import threading
from types import SimpleNamespace

from bleak.exc import BleakError

from emask import keylist, spec
from tests.tools.fake_token import FakeClient, FakeToken
from tests.tools.world import NOW_S, World
from tools.bench.engine import Engine
from tools.bench.log import EventLog
from tools.bench.loop import PacedLoop
from tools.kiosk.hall.desk import Radio
from tools.kiosk.hall.kiosk import Kiosk, Options

PACE = 4.0
PHONE = "1900 9095"
SEEN = {"state": spec.STATE_TIME_KNOWN, "list_issued_s": NOW_S - 9000}
ALERTED = {**SEEN, "state": spec.STATE_TIME_KNOWN | spec.STATE_ALERT, "alert_day": NOW_S // spec.DAY_S - 3}
_EVERY_S = 0.2
_ADDRESS = "C0:00:00:00:00:{:02X}"


def free_port():
    """One that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Tray:
    """Tokens in the air, by the address of this press, with their levels; the adapter may be pulled."""

    def __init__(self):
        self.tokens, self.pulled, self.presses = {}, False, 0

    def press(self, token, rssi_dbm=-50):
        """The token's button; the address that it takes."""
        self.presses += 1
        address = _ADDRESS.format(self.presses)
        self.tokens[address] = token, rssi_dbm
        return address

    def radio(self):
        tray = self

        class Scanner:
            def __init__(self, detection_callback, service_uuids):
                self._callback, self._uuids = detection_callback, service_uuids

            async def __aenter__(self):
                if tray.pulled:
                    raise BleakError("no adapter")
                self._task = asyncio.ensure_future(self._report())

            async def _report(self):
                while True:
                    for address, (token, rssi_dbm) in list(tray.tokens.items()):
                        advert = SimpleNamespace(service_uuids=self._uuids[:1], rssi=rssi_dbm)
                        self._callback(SimpleNamespace(address=address, token=token), advert)
                    await asyncio.sleep(_EVERY_S)

            async def __aexit__(self, *problem):
                self._task.cancel()

        class Client(FakeClient):
            def __init__(self, device, timeout):
                super().__init__(device)
                self.token.connected()
                self.address = device.address

            async def write_gatt_char(self, characteristic, data, response=None):
                if tray.pulled or self.address not in tray.tokens:
                    raise BleakError("gone")
                await super().write_gatt_char(characteristic, data, response)

            async def __aexit__(self, *problem):
                await super().__aexit__(*problem)
                tray.tokens.pop(self.address, None)  # a token that was served is connectable no more

        return Radio(Scanner, Client)


class Hall:
    """Use as: with Hall(path) as hall. `free` and `now_s` may be changed while it runs."""

    def __init__(self, path, **options):
        self.world = World(path)
        self.folder = self.world.kiosk
        records = [keylist.pack_record(bytes([n]) * 32, 1000 + n, 0, 96) for n in range(40)]
        self.folder.add_list(self.world.written("new.eml", self.world.list_file(records, issued_s=NOW_S - 3600)))
        self.tray, self.now_s, self.free = Tray(), NOW_S, lambda: 1 << 30
        self._options = Options(PHONE, **options)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def token(self, status=None, **how):
        """A token that was handed over and has a list."""
        own = FakeToken(self.world.root, serial=2, **how)
        own.shelf, own.status = False, SEEN if status is None else status
        return own

    def reset(self):
        """No token is in the air, and the start is shown."""
        self.tray.tokens.clear()
        self.do(self.kiosk.flow.back)

    def do(self, what):
        """Call what() in the kiosk's loop and wait for it."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (what(), done.set()))
        done.wait(20)

    def __enter__(self):
        self._thread.start()
        self._ready.wait(20)
        return self

    def __exit__(self, *problem):
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(20)

    def _run(self):
        self._loop = PacedLoop(Engine(1, EventLog(None)), PACE)
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self._serve())
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self):
        own = Kiosk(self.folder, self.tray.radio(), self._options, lambda: self.now_s, lambda path: self.free())
        await own.run(0, lambda: self._began(own))

    def _began(self, own):
        self.kiosk, self.url = own, f"http://127.0.0.1:{own.port}/"
        self._ready.set()
