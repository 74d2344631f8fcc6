"""Facts about the token's cryptography: random input against `cryptography`, both directions, both interpreters."""

import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.tools import crypto_peer
from tools import ROOT

SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
VM = Path(sys.executable).with_name("micropython")
ROUNDS = 12


def on_cpython(cases, folder):
    return json.loads(crypto_peer.answers(json.dumps(cases)))


def on_the_vm(cases, folder):
    path = folder / "cases.json"
    path.write_text(json.dumps(cases))
    command = [str(VM), "-X", "heapsize=512k", crypto_peer.__file__, str(ROOT / "lib"), str(path)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout)


BOTH = pytest.mark.parametrize("run", [on_cpython, on_the_vm])


def case(kind, **given):
    return {"kind": kind, **{name: value.hex() for name, value in given.items()}}


def drawn(seed):
    chance = random.Random(seed)
    return [(chance, chance.randbytes(32), chance.randbytes(chance.randrange(200))) for _ in range(ROUNDS)]


@BOTH
def test_signatures_of_the_host_are_good_and_spoilt_ones_bad(run, tmp_path):
    cases, truth = [], []
    for chance, secret, message in drawn(1):
        key = Ed25519PrivateKey.from_private_bytes(secret)
        signature = bytearray(key.sign(message))
        good = chance.random() < 0.5
        if not good:
            signature[chance.randrange(64)] ^= 1 << chance.randrange(8)
        cases.append(
            case("verify", public=key.public_key().public_bytes_raw(), message=message, signature=bytes(signature))
        )
        truth.append("ff" if good else "00")
    assert set(truth) == {"ff", "00"}
    assert run(cases, tmp_path) == truth


@BOTH
def test_both_sides_agree_on_a_key(run, tmp_path):
    cases, wanted = [], []
    for _, secret, _ in drawn(2):
        own, other = X25519PrivateKey.from_private_bytes(secret), X25519PrivateKey.generate()
        cases.append(case("agree", secret=secret, public=other.public_key().public_bytes_raw()))
        wanted.append((own.public_key().public_bytes_raw() + own.exchange(other.public_key())).hex())
    assert run(cases, tmp_path) == wanted
    for given in run(cases, tmp_path)[:2]:  # and the other way: the host agrees with the token's public key
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(given)[:32]))


@BOTH
def test_each_side_unseals_what_the_other_sealed(run, tmp_path):
    rows = [(secret, chance.randbytes(12), text, chance.randbytes(9)) for chance, secret, text in drawn(3)]
    sealed = run([case("seal", key=k, nonce=n, text=t, aad=a) for k, n, t, a in rows], tmp_path)
    for (k, n, t, a), given in zip(rows, sealed, strict=True):
        assert ChaCha20Poly1305(k).decrypt(n, bytes.fromhex(given), a) == t
    back = [case("unseal", key=k, nonce=n, sealed=ChaCha20Poly1305(k).encrypt(n, t, a), aad=a) for k, n, t, a in rows]
    assert run(back, tmp_path) == [t.hex() for _, _, t, _ in rows]


@BOTH
def test_host_opens_what_the_token_sealed_to_it(run, tmp_path):
    cases, keys = [], []
    for chance, ephemeral, text in drawn(4):
        key = X25519PrivateKey.generate()
        keys.append((key, text, chance.randbytes(20)))
        receiver = key.public_key().public_bytes_raw()
        cases.append(case("hpke", ephemeral=ephemeral, receiver=receiver, info=keys[-1][2], text=text))
    for (key, text, info), given in zip(keys, run(cases, tmp_path), strict=True):
        assert SUITE.decrypt(bytes.fromhex(given), key, info) == text


@BOTH
def test_both_sides_derive_and_hash_the_same(run, tmp_path):
    cases, wanted = [], []
    for chance, secret, text in drawn(5):
        salt = chance.randbytes(chance.choice([0, 32, 70]))
        cases += [case("hkdf", secret=secret, salt=salt, info=text), case("sha512", text=text)]
        wanted += [HKDF(hashes.SHA256(), 70, salt or None, text).derive(secret).hex(), hashlib.sha512(text).hexdigest()]
    assert run(cases, tmp_path) == wanted
