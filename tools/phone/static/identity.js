// Owns who the phone is: a key that was drawn here and that the browser gives to nobody, and the authority's certificate
// for it. A phone without one is a stranger's. Knows no token.
import { hex, same } from "./bytes.js";
import { newSigningKey, publicBytes, sha256 } from "./crypto.js";
import * as keep from "./keep.js";
import { KIOSK_KEY, PROXY_KIOSK_KEY } from "./spec.js";
import { certificate, newRoot, WireError } from "./wire.js";

const KINDS = [KIOSK_KEY, PROXY_KIOSK_KEY];
const EXTRA_S = 60;  // a certificate that ends in a minute is of no use

// The public half, 32 bytes; the key is drawn when first asked for.
export async function publicKey() {
  let pair = await keep.get("facts", "key");
  if (!pair) {
    pair = await newSigningKey();
    await keep.put("facts", "key", pair);
  }
  return publicBytes(pair.publicKey);
}

// The name under which a site of lists offers this phone's certificate (SPEC 15).
export async function certificateName() {
  return `kiosk-${hex(await sha256(await publicKey())).slice(0, 32)}.cert`;
}

// Keep a certificate if it is this phone's and lasts longer than the one here: whether it was kept. WireError.
export async function take(data, root) {
  const facts = await certificate(data, root, KINDS);
  if (!same(facts.key, await publicKey())) return false;
  const held = await heldFacts(await keep.get("facts", "certificate"), root);
  if (held && held.until_s >= facts.until_s) return false;
  await keep.put("facts", "certificate", data);
  return true;
}

// Keep a change of the root, if it is to the one that the page was built with: whether it was kept. WireError.
export async function takeChange(data, root) {
  if (!same(newRoot(data), root)) return false;
  await keep.put("facts", "change", data);
  return true;
}

// {vouched, facts, privateKey, change, holds}, or null for a stranger's phone. change: of the root, for tokens that may
// not know of it, or null.
export async function load(root, now_s) {
  const vouched = await keep.get("facts", "certificate");
  const pair = await keep.get("facts", "key");
  const facts = pair ? await heldFacts(vouched, root) : null;
  if (!facts) return null;
  const change = await keep.get("facts", "change") ?? null;
  return { vouched, facts, privateKey: pair.privateKey, change, holds: facts.since_s <= now_s && now_s < facts.until_s - EXTRA_S };
}

// Of a certificate that is kept, or null: there is none, or it is of another root than the page's.
async function heldFacts(vouched, root) {
  if (!vouched) return null;
  return certificate(vouched, root, KINDS).catch((error) => {
    if (!(error instanceof WireError)) throw error;
    return null;
  });
}

export async function forget() {
  await keep.remove("facts", "certificate");
  await keep.remove("facts", "key");
}
