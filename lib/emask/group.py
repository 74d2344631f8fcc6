# Owns the marks by which tokens of one household or home know each other's published records, and nobody else does.
# Must not know what is done about it (emask.exposure), nor where the secret is kept.
from hashlib import sha256

from emask import keylist

SECRET_BYTES = 16
_LABEL = b"emask group\0"


def mark(secret, key):
    """The 14 bits that go out with a published key (32 bytes): who has not the secret sees random ones."""
    digest = sha256(_LABEL + secret + key).digest()
    return digest[0] | (digest[1] & 63) << 8


def marked(secret, record):
    """A record (40 bytes) with the mark of the household that has this secret."""
    key, first_slot, first_index, count = keylist.unpack_record(record)
    return keylist.pack_record(key, first_slot, first_index, count, mark(secret, key))


def own(secret, record):
    """Whether a record bears the mark of this household. A stranger's does once in 16,384 times."""
    return mark(secret, record[:32]) == keylist.mark_of(record)
