# Owns the marks by which tokens of one household or home know each other's published keys, and nobody else does.
# Must not know how a mark travels with a key, nor what is done about it (emask.exposure).
from hashlib import sha256

SECRET_BYTES = 16
MARK_BYTES = 4
_LABEL = b"emask group\0"


def mark(secret, key):
    """The 4 bytes that go out beside a published key (32 bytes): who has not the secret sees random ones."""
    return sha256(_LABEL + secret + key).digest()[:MARK_BYTES]


class Groups:
    """The groups that a token belongs to, by their secrets (16 bytes each)."""

    def __init__(self, secrets=()):
        self._secrets = [secret for secret in secrets if len(secret) == SECRET_BYTES]

    def own(self, key, found):
        """Whether the mark found beside a key was made in one of these groups. A stranger's is taken for an own one
        once in 4 thousand million times."""
        return any([mark(secret, key) == found for secret in self._secrets])
