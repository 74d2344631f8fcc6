# What the VM runs for `emask bench match`: the token's own matching, the straightforward way, and hashes alone. Each
# prints one line of JSON; names in braces are filled in. Knows no figures.

COMMON = """
import sys, json, gc
from time import clock as cpu_s
from collections import namedtuple
sys.path.insert(0, "{lib}")
from emask import clock, keylist, rule, scheme, sighting, store
from emask.match import Matcher
class Device:
    def __init__(self, path):
        self._file = open(path, "rb")
    def readblocks(self, block, buf, offset=0):
        self._file.seek(block * {block} + offset)
        self._file.readinto(buf)
    def writeblocks(self, block, buf, offset=0):
        pass
    def ioctl(self, op, arg):
        return {blocks} if op == 4 else {block}
def records(most=None):
    with open("{folder}/records", "rb") as file:
        while most != 0:
            record = file.read(40)
            if not record:
                return
            yield record
            most = most and most - 1
kept = store.Store(Device("{folder}/flash"))
kept.mount(False)
anchors = clock.Anchors([payload for _, payload in kept.read({anchor})], 20)
header = namedtuple("Header", ("scheme", "issued_s", "rule"))({scheme}, {issued}, rule.unpack(bytes.fromhex("{rule}")))
"""
# Time and steps of the whole; then, with few records, what it holds of the heap.
MATCHER = """
def compared(records, look):
    matcher = Matcher(header, kept, anchors)
    gc.collect()
    held, before, start = 0, gc.mem_alloc(), cpu_s()
    for steps, _ in enumerate(matcher.run(records)):
        if look and steps & 7 == 0:
            gc.collect()
            held = max(held, gc.mem_alloc() - before)
    return cpu_s() - start, steps, matcher.exposure.hits + matcher.exposure.hits_dropped, held
took, steps, hits, _ = compared(records, False)
held = compared(lambda: records(2), True)[3]
print(json.dumps((took, steps, hits, held)))
"""
PLAIN = """
rules = scheme.get({scheme})
start = cpu_s()
known = {{}}
for position, slot, payload in kept.scan({sighting}):
    known.setdefault(sighting.unpack(payload)[1], []).append(position)
built = cpu_s()
hits = 0
for record in records():
    key, first, index, count = keylist.unpack_record(record)
    chain = rules.Chain(key[: rules.KEY_BYTES], first, index)
    for _ in range(count):
        for position in known.get(chain.id(), ()):
            fields = sighting.unpack(kept.read_at({sighting}, position)[1])
            seen = anchors.utc_of(fields[2], anchors.tick_of(fields[2], fields[3])) // rules.SLOT_S
            hits += abs(seen - chain.slot) <= {tolerance} and seen * rules.SLOT_S < header.issued_s
        chain.step()
print(json.dumps((built - start, cpu_s() - built, hits)))
"""
# The floor: what one record's identifiers take, and nothing but their hashes (or AES blocks).
FLOOR = """
rules = scheme.get({scheme})
from hashlib import sha256
import cryptolib
def one():
    if {scheme} == 1:
        state = bytes(32)
        for _ in range(1000):
            state = sha256(state).digest()
    else:
        encrypt, text = cryptolib.aes(bytes(16), 1).encrypt, bytes(16)
        for _ in range(1000):
            encrypt(text)
start = cpu_s()
for _ in range(300):
    one()
print(json.dumps((cpu_s() - start) / 300_000))
"""
