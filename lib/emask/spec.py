# Owns every number that two ends of a link, or two releases, must agree on (docs/SPEC). Knows no code.
from micropython import const

PROTOCOL_VERSION = const(1)

# Time (SPEC 1). Store slots are 15 minutes from the Unix epoch in UTC, whatever the scheme's own slot is.
DAY_S = const(86400)
SLOT_S = const(900)
SLOTS_PER_DAY = const(96)
TOLERANCE_SLOTS = const(2)  # an ID counts this near to its own slot
MAX_TOLERANCE_SLOTS = const(8)  # and never further, however unsure the clock
RETENTION_DAYS = const(21)
INFECTIOUS_DAYS = const(14)

# Schemes and adverts (SPEC 2)
BLUEZONE = const(1)
GAEN = const(2)
ADVERT_BYTES = const(31)
ADVERT_VERSION = const(1)
BLUEZONE_SERVICE = const(0x4E56)
BLUEZONE_COMPANY = const(8885)
GAEN_SERVICE = const(0xFD6F)
WINDOW_UNIT_MS = const(10)  # unit of the advert's "next window"
RSSI_UNKNOWN = const(127)
TX_UNKNOWN = const(-128)

# Records in flash (SPEC 3)
SIGHTING = const(1)
HEARD = const(2)
KEY = const(3)
ANCHOR = const(4)
STATE = const(5)
COMPACTED = const(6)
ALERT = const(7)
LISTINFO = const(8)
SIGHTING_VERSION = const(2)
SIGHTING_BYTES = const(32)
HEARD_BYTES = const(25)
KEY_BYTES = const(48)

# The visit's GATT service (SPEC 4)
SERVICE_UUID = "7d9c0001-5a7e-4b1c-9a52-3c1e4e564e56"
RX_UUID = "7d9c0002-5a7e-4b1c-9a52-3c1e4e564e56"  # kiosk writes
TX_UUID = "7d9c0003-5a7e-4b1c-9a52-3c1e4e564e56"  # token notifies; readable
FRAME_FIRST = const(1)
FRAME_LAST = const(2)

# Message types, kiosk to token (SPEC 4)
HELLO = const(1)
HANDOVER = const(2)
LIST_OFFER = const(3)
LIST_DATA = const(4)
LIST_END = const(5)
UPLOAD_REQUEST = const(6)
ACK_ALERT = const(7)
BYE = const(8)
STATUS_REQUEST = const(9)
SHELF = const(10)
# Message types, token to kiosk
STATUS = const(65)
LIST_WANT = const(66)
LIST_ACK = const(67)
OK = const(68)
UPLOAD = const(69)
REFUSED = const(70)

LIST_DATA_BYTES = const(240)  # most of a list in one LIST_DATA
CODE_BYTES = const(12)
# State bits of STATUS
STATE_SHELF = const(1)
STATE_TIME_KNOWN = const(2)
STATE_ALERT = const(4)
STATE_ALERT_HEARD = const(8)
STATE_STORE_FULL = const(16)
# Results of LIST_ACK
LIST_OK = const(0)
LIST_BAD_HASH = const(1)
LIST_TOO_BIG = const(2)
LIST_OLD_SERIAL = const(3)
LIST_OUT_OF_ORDER = const(4)

# The list file (SPEC 5)
LIST_VERSION = const(1)
LIST_HEADER_BYTES = const(24)
RECORD_BYTES = const(40)
LIST_HASH_BYTES = const(32)
MAX_LIST_BYTES = const(393216)
