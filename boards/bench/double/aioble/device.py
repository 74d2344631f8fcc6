# The double's peers: an address, a connection, waiting that ends with time or with the connection. Knows no service.
import asyncio
import binascii

from .core import ble, log_error, register_irq_handler

_IRQ_MTU_EXCHANGED = 21


class DeviceDisconnectedError(Exception):
    """Out of `with connection.timeout()` when the connection went."""


def _on_irq(event, data):
    if event == _IRQ_MTU_EXCHANGED:
        connection = DeviceConnection._connected.get(data[0])
        if connection:
            connection.mtu = data[1]
            connection._mtu_flag.set()


register_irq_handler(_on_irq, None)


class DeviceTimeout:
    """Cancels the task inside it when timeout_ms are over or the connection goes; each of the two may be None."""

    def __init__(self, connection, timeout_ms):
        self._connection = connection
        self._ms = timeout_ms
        self._timer = None
        self._over = False
        self._task = asyncio.current_task()
        if connection:
            connection._timeouts.append(self)

    def __enter__(self):
        if self._ms:
            self._timer = asyncio.create_task(self._run_out())

    async def _run_out(self):
        await asyncio.sleep_ms(self._ms)
        self._timer = None
        self._over = True
        self._task.cancel()

    def __exit__(self, kind, error, trace):
        if self._connection:
            self._connection._timeouts.remove(self)
        if self._timer:
            self._timer.cancel()
        if kind is asyncio.CancelledError:
            if self._over:
                raise asyncio.TimeoutError
            if self._connection and self._connection._conn_handle is None:
                raise DeviceDisconnectedError


class Device:
    """addr_type 0 public, 1 random; addr as 6 bytes or text with colons."""

    def __init__(self, addr_type, addr):
        self.addr_type = addr_type
        self.addr = addr if len(addr) == 6 else binascii.unhexlify(addr.replace(":", ""))
        self._connection = None

    def __eq__(self, other):
        return self.addr_type == other.addr_type and self.addr == other.addr

    def __hash__(self):
        return hash((self.addr_type, self.addr))

    def addr_hex(self):
        return binascii.hexlify(self.addr, ":").decode()

    async def connect(
        self, timeout_ms=10000, scan_duration_ms=None, min_conn_interval_us=None, max_conn_interval_us=None
    ):
        if not self._connection:
            from .central import connect

            await connect(self, timeout_ms, (scan_duration_ms, min_conn_interval_us, max_conn_interval_us))
            self._connection._run_task()
        return self._connection


class DeviceConnection:
    """A connection, made by either side. mtu is None until agreed."""

    _connected = {}

    def __init__(self, device):
        self.device = device
        device._connection = self
        self.mtu = None
        self.encrypted = self.authenticated = self.bonded = self.key_size = False
        self._conn_handle = None
        self._event = asyncio.ThreadSafeFlag()
        self._mtu_flag = asyncio.ThreadSafeFlag()
        self._timeouts = []
        self._task = None
        self._characteristics = {}
        self._discovery = None

    def _run_task(self):
        self._task = asyncio.create_task(self._until_down())

    async def _until_down(self):
        await self._event.wait()
        del DeviceConnection._connected[self._conn_handle]
        self._conn_handle = None
        self.device._connection = None
        for waiting in self._timeouts:
            waiting._task.cancel()

    def is_connected(self):
        return self._conn_handle is not None

    def timeout(self, timeout_ms):
        return DeviceTimeout(self, timeout_ms)

    async def disconnected(self, timeout_ms=None, disconnect=False):
        if not self.is_connected():
            return
        if disconnect:
            try:
                ble.gap_disconnect(self._conn_handle)
            except OSError as error:
                log_error("Disconnect", error)
        with DeviceTimeout(None, timeout_ms):
            await self._task

    async def disconnect(self, timeout_ms=2000):
        await self.disconnected(timeout_ms, disconnect=True)

    async def exchange_mtu(self, mtu=None, timeout_ms=1000):
        if not self.is_connected():
            raise ValueError("Not connected")
        if mtu:
            ble.config(mtu=mtu)
        ble.gattc_exchange_mtu(self._conn_handle)
        with self.timeout(timeout_ms):
            await self._mtu_flag.wait()
        return self.mtu

    def services(self, uuid=None, timeout_ms=2000):
        from .client import Discovery, found_service

        return Discovery(self, found_service, (ble.gattc_discover_services, (uuid,)), None, timeout_ms)

    async def service(self, uuid, timeout_ms=2000):
        from .client import first

        return await first(self.services(uuid, timeout_ms), uuid)

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, trace):
        await self.disconnect()
