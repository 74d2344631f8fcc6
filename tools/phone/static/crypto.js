// Owns what is computed with keys: WebCrypto, ChaCha20-Poly1305 of noble-ciphers, and their joining to HPKE (RFC 9180).
// Knows no message. A key that signs is drawn here, and the browser never gives it out.
import { ascii, join } from "./bytes.js";
import { chacha20poly1305 } from "./vendor/noble-ciphers-2.4.0/chacha.js";

const subtle = crypto.subtle;
const ZERO_NONCE = new Uint8Array(12);
const KEM = join(ascii("KEM"), Uint8Array.of(0, 0x20));
const SUITE = join(ascii("HPKE"), Uint8Array.of(0, 0x20, 0, 1, 0, 3));
const PKCS8_X25519 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);

export async function sha256(...parts) {
  return new Uint8Array(await subtle.digest("SHA-256", join(...parts)));
}

async function hmac(key, data) {
  const held = await subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", held, data));
}

// -- signatures

export function newSigningKey() {
  return subtle.generateKey("Ed25519", false, ["sign", "verify"]);
}

export async function publicBytes(key) {
  return new Uint8Array(await subtle.exportKey("raw", key));
}

export async function sign(key, message) {
  return new Uint8Array(await subtle.sign("Ed25519", key, message));
}

export async function verify(publicKey, message, signature) {
  try {
    const key = await subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
    return await subtle.verify("Ed25519", key, signature, message);
  } catch {
    return false;
  }
}

// -- key agreement; a secret may be given by tests

export async function newAgreementKey(secret = null) {
  if (!secret) return subtle.generateKey("X25519", false, ["deriveBits"]);
  const privateKey = await subtle.importKey("pkcs8", join(PKCS8_X25519, secret), "X25519", true, ["deriveBits"]);
  const { x } = await subtle.exportKey("jwk", privateKey);
  return { privateKey, publicKey: await subtle.importKey("jwk", { kty: "OKP", crv: "X25519", x }, "X25519", true, []) };
}

async function agree(privateKey, publicKey) {
  const key = await subtle.importKey("raw", publicKey, "X25519", false, []);
  return new Uint8Array(await subtle.deriveBits({ name: "X25519", public: key }, privateKey, 256));
}

// -- HPKE, base mode, and keys of one visit

export async function hkdf(secret, salt, info) {
  const key = await subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  return new Uint8Array(await subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info }, key, 256));
}

function extract(salt, suite, label, data) {
  return hmac(salt.length ? salt : new Uint8Array(32), join(ascii("HPKE-v1"), suite, ascii(label), data));
}

async function expand(key, suite, label, info, size) {  // at most one block of the hash
  const text = join(Uint8Array.of(0, size), ascii("HPKE-v1"), suite, ascii(label), info, Uint8Array.of(1));
  return (await hmac(key, text)).slice(0, size);
}

// What was sealed to `pair` (32 bytes of the sender's key, then the sealed), or null.
export async function unseal(pair, info, sealed) {
  const enc = sealed.slice(0, 32), none = new Uint8Array(0);
  let shared;
  try {
    shared = await agree(pair.privateKey, enc);
  } catch {
    return null;  // a key of small order, or none
  }
  const prk = await extract(none, KEM, "eae_prk", shared);
  const secret = await expand(prk, KEM, "shared_secret", join(enc, await publicBytes(pair.publicKey)), 32);
  const hashes = [await extract(none, SUITE, "psk_id_hash", none), await extract(none, SUITE, "info_hash", info)];
  const context = join(Uint8Array.of(0), ...hashes);
  const schedule = await extract(secret, SUITE, "secret", none);
  const key = await expand(schedule, SUITE, "key", context, 32);
  return open(key, sealed.slice(32), await expand(schedule, SUITE, "base_nonce", context, 12));
}

export function seal(key, text, nonce = ZERO_NONCE) {
  return chacha20poly1305(key, nonce).encrypt(text);
}

export function open(key, sealed, nonce = ZERO_NONCE) {
  try {
    return chacha20poly1305(key, nonce).decrypt(sealed);
  } catch {
    return null;
  }
}
