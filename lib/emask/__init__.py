# emask: the portable part of the token, the same files on CPython and MicroPython. No I/O, clock or chance of its own.
