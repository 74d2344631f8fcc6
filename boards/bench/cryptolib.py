# cryptolib that charges device time per AES block, from the board's cost table.
import benchhash
import benchlink

block_us = 0  # set by the runner from the board's cost table


class aes:
    def __init__(self, key, mode, iv=None):
        self._a = benchhash.aes(key, mode, iv) if iv is not None else benchhash.aes(key, mode)

    def encrypt(self, data, out=None):
        benchlink.charge(block_us * (len(data) // 16))
        return self._a.encrypt(data) if out is None else self._a.encrypt(data, out)

    def decrypt(self, data, out=None):
        benchlink.charge(block_us * (len(data) // 16))
        return self._a.decrypt(data) if out is None else self._a.decrypt(data, out)
