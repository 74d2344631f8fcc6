# A double of the part of aioble's API that the firmware uses, for benches without the real one. Never for a device.
from .central import scan  # noqa: F401
from .core import GattError, config, log_error, log_info, log_warn, stop  # noqa: F401
from .device import Device, DeviceDisconnectedError  # noqa: F401
from .peripheral import advertise  # noqa: F401
from .server import BufferedCharacteristic, Characteristic, Descriptor, Service, register_services  # noqa: F401

ADDR_PUBLIC = 0
ADDR_RANDOM = 1
