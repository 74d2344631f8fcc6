"""Owns the settings of tests: what the product ships, on the shelf, and the root key of tests/dual/peer.py."""

from binascii import unhexlify

ON_SHELF = True
ROOT_KEY = unhexlify("8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c")
