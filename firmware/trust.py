"""Owns whom the token believes: the root's certificates, checked once, and what was revoked. Knows no session."""

import struct
from hashlib import sha256

import settings
from micropython import const

from emask import certificate, signed, spec

_CHECKED_MAX = const(3)
_HASH = const(16)
_FORMAT = "<II32s32s"
_FIXED = const(72)


class Trust:
    """Kept in the store: TRUST (highest serial of a list key, the root, the key that uploads are sealed to, hashes of
    what the root signed and that was checked), REVOKED (serials).
    """

    def __init__(self, store, slot):
        self._store = store
        self._slot = slot
        self._list_key_serial = self._root_serial = 0
        self._root = settings.ROOT_KEY
        self.seal_key = bytes(32)  # of the kiosk's certificate that was checked last; zeros: none
        self._checked = []
        found = store.latest(spec.TRUST)
        if found and len(found[1]) >= _FIXED and not (len(found[1]) - _FIXED) % _HASH:
            fields = struct.unpack_from(_FORMAT, found[1], 0)
            self._list_key_serial, self._root_serial, self._root, self.seal_key = fields
            self._checked = [found[1][at : at + _HASH] for at in range(_FIXED, len(found[1]), _HASH)]
        found = store.latest(spec.REVOKED)
        self.revoked = struct.unpack("<%dI" % (len(found[1]) // 4), found[1]) if found else ()

    def certificate(self, data, kind):
        """The Certificate in these 144 bytes, if the root vouches for it here and now; else signed.SignedError."""
        found = certificate.unpack(data)
        if (found.kind == spec.LIST_KEY) != (kind == spec.LIST_KEY) or found.kind == spec.ROOT_KEY:
            raise signed.SignedError("certificate of another kind")
        if found.region not in (spec.ANY_REGION, settings.REGION):
            raise signed.SignedError("certificate of another region")
        if kind == spec.KIOSK_KEY and found.serial in self.revoked:
            raise signed.SignedError("certificate is revoked")
        if kind == spec.LIST_KEY and found.serial < self._list_key_serial:
            raise signed.SignedError("list key was replaced")
        name = sha256(data).digest()[:_HASH]
        if name not in self._checked:
            _check(data, self._root)
            if found.kind == spec.LIST_KEY:
                self._list_key_serial = found.serial
            else:
                self.seal_key = found.seal_key
            self._checked = [name] + self._checked[: _CHECKED_MAX - 1]
            self._save()
        return found

    def change_root(self, data):
        """Take the root of these 144 bytes, if it is newer and the recovery key vouches for it; else SignedError.

        One that is not newer is passed over. With the old root go the certificates that it signed.
        """
        found = certificate.unpack(data)
        if found.kind != spec.ROOT_KEY:
            raise signed.SignedError("certificate of another kind")
        if found.serial > self._root_serial:
            _check(data, settings.RECOVERY_KEY)
            self._root_serial, self._root, self._checked = found.serial, found.key, []
            self._save()

    def _save(self):
        head = struct.pack(_FORMAT, self._list_key_serial, self._root_serial, self._root, self.seal_key)
        self._store.append(spec.TRUST, self._slot(), head + b"".join(self._checked))

    def revoke(self, serials):
        """Take the serials of a list's revoked certificates, in place of those of the list before."""
        if tuple(serials) != self.revoked:
            self.revoked = tuple(serials)
            self._store.append(spec.REVOKED, self._slot(), struct.pack("<%dI" % len(serials), *serials))


def _check(data, key):
    if not any(key):
        raise signed.SignedError("no such key")
    signed.check(data, key)
