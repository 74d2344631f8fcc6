# emask_crypto: signatures, key agreement, sealing for the token, in integers alone. No I/O, clock or chance of its own.
