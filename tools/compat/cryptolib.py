# Stands for MicroPython's `cryptolib` on CPython, as far as lib/ uses it: AES in ECB and CBC mode, by `cryptography`.
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


class aes:  # noqa: N801 - MicroPython's name
    """AES with a key of 16 or 32 bytes. mode: 1 ECB; 2 CBC from an IV of 16 bytes on, for one direction only."""

    def __init__(self, key, mode, iv=None):
        if mode not in (1, 2) or (mode == 2) != (iv is not None):
            raise ValueError("only ECB, and CBC with an IV")
        cipher = Cipher(algorithms.AES(bytes(key)), modes.ECB() if iv is None else modes.CBC(bytes(iv)))
        self._encryptor, self._decryptor = cipher.encryptor(), cipher.decryptor()

    def encrypt(self, text):
        """The text (a multiple of 16 bytes) in cipher text; in CBC it goes on where the last one ended."""
        return self._encryptor.update(bytes(text))

    def decrypt(self, text):
        """The cipher text in plain text, as above."""
        return self._decryptor.update(bytes(text))
