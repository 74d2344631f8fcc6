# The VM's own hashlib and cryptolib, uncounted, for the shims.
import sys as _sys

_path = _sys.path[:]
_sys.path[:] = []
_kept = [(n, _sys.modules.pop(n, None)) for n in ("hashlib", "cryptolib")]
import hashlib as _hashlib
import cryptolib as _cryptolib

_sys.path[:] = _path
for _n, _m in _kept:
    if _m is not None:
        _sys.modules[_n] = _m
    else:
        _sys.modules.pop(_n, None)
sha256 = _hashlib.sha256
sha1 = _hashlib.sha1
md5 = _hashlib.md5
aes = _cryptolib.aes
