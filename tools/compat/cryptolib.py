# Stands for MicroPython's `cryptolib` on CPython, as far as lib/ uses it: AES in ECB mode, by `cryptography`.
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


class aes:  # noqa: N801 - MicroPython's name
    """AES with a key of 16 or 32 bytes; mode 1 is ECB, the only one here."""

    def __init__(self, key, mode):
        if mode != 1:
            raise ValueError("only ECB")
        self._cipher = Cipher(algorithms.AES(bytes(key)), modes.ECB())

    def encrypt(self, block):
        """The block (a multiple of 16 bytes) in cipher text."""
        return self._cipher.encryptor().update(bytes(block))

    def decrypt(self, block):
        """The block in plain text."""
        return self._cipher.decryptor().update(bytes(block))
