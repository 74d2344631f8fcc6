# Owns the check of an Ed25519 signature (RFC 8032), strictly: one form of each number, no point of small order.
# Knows public data only, so it needs no constant time. It can't sign: the token never does.
from emask_crypto.sha512 import sha512

_P = (1 << 255) - 19
_L = (1 << 252) + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_D2 = 2 * _D
_ROOT = pow(2, (_P - 1) // 4, _P)  # of -1
_TOP = 1 << 255
_WIDTH = 4  # of the digits below: 5 would be 3 % quicker and take 3 KB more

# A point is (X, Y, Z, T): x = X/Z, y = Y/Z, x * y = T/Z.
_ZERO = (0, 1, 1, 0)


def verify(public, message, signature):
    """True if `signature` (64 bytes) is of `message` by the key `public` (32 bytes); anything malformed is False."""
    if len(public) != 32 or len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    point = _decode(public)
    nonce = _decode(signature[:32])
    if s >= _L or point is None or nonce is None:
        return False
    digest = sha512(signature[:32] + public + message)
    k = int.from_bytes(digest, "little") % _L
    x, y, z, _ = _combine(s, _decode(_BASE), _L - k, point)
    return (nonce[0] * z - x) % _P == 0 and (nonce[1] * z - y) % _P == 0


_BASE = b"\x58" + b"\x66" * 31


def _decode(data):
    # The point of its 32 bytes, or None: y not below p, no such point, or one of small order.
    number = int.from_bytes(data, "little")
    sign = number >> 255
    y = number & _TOP - 1
    if y >= _P:
        return None
    x = _x_of(y)
    if x is None or not x and sign:
        return None
    if x & 1 != sign:
        x = _P - x
    point = (x, y, 1, x * y % _P)
    return None if _small(point) else point


def _x_of(y):
    # x by RFC 8032, 5.1.3, or None.
    square = y * y % _P
    u = square - 1
    v = _D * square + 1
    v3 = v * v % _P * v % _P
    x = u * v3 % _P * pow(u * v3 % _P * v3 % _P * v % _P, (_P - 5) // 8, _P) % _P
    rest = v * x % _P * x % _P
    if (rest - u) % _P == 0:
        return x
    return x * _ROOT % _P if (rest + u) % _P == 0 else None


def _small(point):
    for _ in range(3):
        point = _double(point)
    return point[0] % _P == 0


def _double(point):
    x, y, z, _ = point
    p = _P
    a = x * x % p
    b = y * y % p
    x += y
    e = a + b - x * x % p
    g = a - b
    f = g + 2 * (z * z % p)
    h = a + b
    return e * f % p, g * h % p, f * g % p, e * h % p


def _ready(point):
    # A point as _add wants it: Y - X, Y + X, 2Z, 2dT.
    x, y, z, t = point
    return y - x, y + x, 2 * z, _D2 * t % _P


def _add(point, other):
    x, y, z, t = point
    p = _P
    a = (y - x) * other[0] % p
    b = (y + x) * other[1] % p
    c = t * other[3] % p
    d = z * other[2] % p
    e = b - a
    f = d - c
    g = d + c
    h = b + a
    return e * f % p, g * h % p, f * g % p, e * h % p


def _odd(point):
    # point times 1, 3, 5, 7, ready to be added.
    twice = _ready(_double(point))
    found = [_ready(point)]
    for _ in range((1 << _WIDTH - 2) - 1):
        point = _add(point, twice)
        found.append(_ready(point))
    return found


def _digits(number):
    # Signed odd digits below 8 and zeros, lowest first: at most every fourth is not zero.
    found = bytearray(256)
    at = 0
    while number:
        if number & 1:
            digit = number & 15
            found[at] = digit
            number -= digit if digit < 8 else digit - 16
        number >>= 1
        at += 1
    return found


def _combine(s, base, k, point):
    # s * base + k * point, both in one pass of doublings.
    tables = (_odd(base), _digits(s)), (_odd(point), _digits(k))
    total = _ZERO
    for at in range(255, -1, -1):
        total = _double(total)
        for odd, digits in tables:
            digit = digits[at]
            if digit and digit < 8:
                total = _add(total, odd[digit >> 1])
            elif digit:
                y_less, y_more, z2, t2d = odd[16 - digit >> 1]
                total = _add(total, (y_more, y_less, z2, -t2d))
    return total
