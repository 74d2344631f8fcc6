# Owns the token's end of test_crypto_interop.py: cases in, answers out, on either interpreter. Must not import pytest.
import json
import sys


def answer(case):
    """What the token's code makes of one case, a dict of hexadecimal strings."""
    from emask_crypto import chacha, ed25519, hkdf, hpke, sha512, x25519

    kind = case["kind"]
    given = {name: bytes.fromhex(value) for name, value in case.items() if name != "kind"}
    if kind == "verify":
        return "ff" if ed25519.verify(given["public"], given["message"], given["signature"]) else "00"
    if kind == "agree":
        return (x25519.public(given["secret"]) + x25519.multiply(given["secret"], given["public"])).hex()
    if kind == "seal":
        return chacha.seal(given["key"], given["nonce"], given["text"], given["aad"]).hex()
    if kind == "unseal":
        return (chacha.unseal(given["key"], given["nonce"], given["sealed"], given["aad"]) or b"").hex()
    if kind == "hpke":
        enc = x25519.public(given["ephemeral"])
        shared = hpke.agree(given["ephemeral"], enc, given["receiver"])
        return hpke.seal(shared, enc, given["info"], given["text"]).hex()
    if kind == "hkdf":
        return hkdf.expand(hkdf.extract(given["salt"], given["secret"]), given["info"], 70).hex()
    return sha512.sha512(given["text"]).hex()


def answers(text):
    """The same for a JSON list, as JSON."""
    return json.dumps([answer(case) for case in json.loads(text)])


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    with open(sys.argv[2]) as file:
        print(answers(file.read()))
