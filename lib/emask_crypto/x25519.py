# Owns X25519 (RFC 7748): key agreement on Curve25519. Not constant-time: see docs/SECURITY. Draws no secret itself.
_P = (1 << 255) - 19
_HALF = (1 << 255) - 1
_BASE = b"\x09" + bytes(31)


def multiply(secret, point):
    """32 bytes: `point` (a public key, 32 bytes) times `secret` (32 bytes). ValueError for a point of small order."""
    if len(secret) != 32 or len(point) != 32:
        raise ValueError("a key of wrong length")
    scalar = int.from_bytes(secret, "little") & _HALF & -8 | 1 << 254
    u = _ladder(scalar, int.from_bytes(point, "little") & _HALF)
    if not u:
        raise ValueError("a point of small order")
    return u.to_bytes(32, "little")


def public(secret):
    """The public key of a secret of 32 bytes."""
    return multiply(secret, _BASE)


def _ladder(scalar, x1):
    # Montgomery's ladder, RFC 7748 section 5, in its names; sums stay unreduced until they are multiplied.
    p = _P
    x2, z2, x3, z3 = 1, 0, x1, 1
    swap = 0
    for at in range(254, -1, -1):
        bit = scalar >> at & 1
        if swap ^ bit:
            x2, x3 = x3, x2
            z2, z3 = z3, z2
        swap = bit
        a = x2 + z2
        b = x2 - z2
        aa = a * a % p
        bb = b * b % p
        e = aa - bb
        da = (x3 - z3) * a % p
        cb = (x3 + z3) * b % p
        plus = da + cb
        minus = da - cb
        x3 = plus * plus % p
        z3 = minus * minus % p * x1 % p
        x2 = aa * bb % p
        z2 = e * (aa + 121665 * e) % p
    if swap:
        x2, z2 = x3, z3
    return x2 * pow(z2, p - 2, p) % p
