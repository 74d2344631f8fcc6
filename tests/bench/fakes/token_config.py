"""Owns the settings of tests: what the product ships, on the shelf, and the keys of tests/dual/peer.py."""

from binascii import unhexlify

ON_SHELF = True
RECOVERY_KEY = unhexlify("1398f62c6d1a457c51ba6a4b5f3dbd2f69fca93216218dc8997e416bd17d93ca")
ROOT_KEY = unhexlify("8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c")
