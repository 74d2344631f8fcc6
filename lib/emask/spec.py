# Owns every number that two ends of a link, or two releases, must agree on (docs/SPEC). Knows no code.
from micropython import const

PROTOCOL_VERSION = const(2)

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
TRUST = const(9)
REVOKED = const(10)
HOUSEHOLD = const(11)
PAUSES = const(12)
MET = const(13)
CLAIMS = const(14)
SECOND = const(15)
SWAP = const(16)
SIGHTING_VERSION = const(2)
SIGHTING_BYTES = const(32)
HEARD_BYTES = const(25)
KEY_BYTES = const(48)

# The visit's GATT service (SPEC 4)
SERVICE_UUID = "7d9c0001-5a7e-4b1c-9a52-3c1e4e564e56"
RX_UUID = "7d9c0002-5a7e-4b1c-9a52-3c1e4e564e56"  # kiosk writes
TX_UUID = "7d9c0003-5a7e-4b1c-9a52-3c1e4e564e56"  # token notifies; readable
DOOR_UUID = "7d9c0004-5a7e-4b1c-9a52-3c1e4e564e56"  # only in the door's advert
FRAME_FIRST = const(1)
FRAME_LAST = const(2)
FRAME_SHOW = const(4)  # without payload: show the frame of the answer with this number again

# Message types, kiosk to token (SPEC 4)
HELLO = const(1)
SESSION = const(2)
ASK = const(3)
LIST_OFFER = const(4)
LIST_DATA = const(5)
BYE = const(6)
BLINK = const(7)
ROOT = const(8)
MOVE = const(9)
# Message types, token to kiosk
NONCE = const(64)
STATUS = const(65)
LIST_WANT = const(66)
LIST_ACK = const(67)
OK = const(68)
UPLOAD = const(69)
REFUSED = const(70)
PAGE = const(71)
RECEIPT = const(72)

NONCE_BYTES = const(33)
SESSION_BYTES = const(249)
SEALED_STATUS_BYTES = const(110)
SEALED_ASK_BYTES = const(52)
SEALED_UPLOAD_BYTES = const(548)
UPLOAD_BLOB_BYTES = const(530)
UPLOAD_RECORDS = const(12)
# Flags of ASK
ASK_HANDOVER = const(1)
ASK_SHELF = const(2)
ASK_ACK_ALERT = const(4)
ASK_UPLOAD = const(8)
ASK_PROXY = const(16)  # of somebody who can't press
ASK_F1 = const(32)  # an upload of a contact that an F0 list warned
ASK_HOUSEHOLD = const(256)  # these three by a clinic's kiosk only
ASK_PAUSE = const(512)
ASK_DETAILS = const(1024)
ASK_WIPE = const(2048)
ASK_SWAP_KEY = const(4096)  # to the new token; these four by a clinic's kiosk only
ASK_SWAP_GIVE = const(8192)  # to the old one
ASK_SWAP_TAKE = const(16384)  # to the new one
ASK_SWAP_DONE = const(32768)  # to the old one
ASK_SWAP = const(0xF000)
PAUSE_MAX_MIN = const(720)
PAUSE_FIELDS = const(30)  # of PAUSES: two for each
# How the wearer agreed, in the sealed part of UPLOAD, beside the scheme
BY_PROXY = const(16)
OF_F1 = const(32)  # and as what: a contact, with the record that warned it in the last two places
F1_RECORDS = const(10)
CLAIM_BYTES = const(80)
# Results in UPLOAD
UPLOAD_NOT_ASKED = const(0)
UPLOAD_GIVEN = const(1)
UPLOAD_NOT_AGREED = const(2)
UPLOAD_NOTHING = const(3)
UPLOAD_WIPED = const(4)
SWAP_READY = const(5)  # a step of a swap
SWAP_TAKEN = const(6)  # the new token has all already: its receipt once more
# Reasons of REFUSED
REFUSED_MALFORMED = const(1)
REFUSED_NOT_NOW = const(2)
REFUSED_PROTOCOL = const(3)
REFUSED_NOT_TRUSTED = const(4)

LIST_DATA_BYTES = const(240)  # most of a list in one LIST_DATA
PUSHED_OFFERS = const(2)  # of lists, by who did not say who they are
CODE_BYTES = const(12)
SWAP_TEXT_BYTES = const(464)
SWAP_PAGE_BYTES = const(480)  # two frames at an MTU of 247
SWAP_AT_ONCE = const(4)  # pages in an answer
# State bits of STATUS
STATE_SHELF = const(1)
STATE_TIME_KNOWN = const(2)
STATE_ALERT = const(4)
STATE_ALERT_HEARD = const(8)
STATE_LESSER = const(8)  # without STATE_ALERT: only the list of contacts warns (F2)
STATE_STORE_FULL = const(16)  # sightings were left out for want of room
STATE_STORE_WORN = const(32)  # blocks of the flash can't be erased any more
STATE_LIST_WAITS = const(64)  # the last list is not compared yet
STATE_ENDED = const(128)  # the programme is over: to be given back
ALERT_TAKEN_BACK = const(1)  # in place of an alert's day: it was a mistake, and the wearer has not heard of it
# Results of LIST_ACK
LIST_OK = const(0)
LIST_BAD_HASH = const(1)
LIST_TOO_BIG = const(2)
LIST_OLD_SERIAL = const(3)
LIST_OUT_OF_ORDER = const(4)
LIST_NOT_TRUSTED = const(5)
LIST_WRONG_REGION = const(6)
LIST_GAP = const(7)

# The list file (SPEC 5)
RULE_VERSION = const(1)
RULE_BYTES = const(19)
RULE_F1 = const(2)  # flag of an F0 list: whom it warns may give their keys to the F1 list
RECORD_BYTES = const(40)
BLOCK_BYTES = const(4096)
LIST_OFFER_BYTES = const(178)
LIST_END = const(1)  # flag of a manifest: the programme is over
REVOKED_MAX = const(28)
WITHDRAWN_MAX = const(24)

# Signed statements (SPEC 14)
SIGNATURE_BYTES = const(64)
CERTIFICATE_BYTES = const(144)
F0_LIST = const(1)
F1_LIST = const(2)
LIST_KEY = const(3)
KIOSK_KEY = const(4)
SESSION_PROOF = const(5)
PROXY_KIOSK_KEY = const(6)  # of a clinic's kiosk, which may ask for more than others
ROOT_KEY = const(7)  # signed by the recovery key, not by a root
ANY_REGION = const(0)
