// Owns the phone's stock of upload codes, and the uploads that wait to be carried to the authority. Knows no token.
import { hex } from "./bytes.js";
import * as keep from "./keep.js";
import { CODE_BYTES } from "./spec.js";

const PROXY_FIRST = "P";  // SPEC 8: a code that begins so is for consent by proxy

export async function codes() {
  return await keep.get("facts", "codes") ?? [];
}

// Add the codes of a file's text: how many were new.
export async function add(text) {
  const held = await codes();
  const fresh = [...new Set(text.split(/\s+/))].filter((word) => /^[2-9A-HJ-NP-Z]+$/.test(word) && word.length === CODE_BYTES && !held.includes(word));
  await keep.put("facts", "codes", [...held, ...fresh]);
  return fresh.length;
}

// The next code, of those for proxies or of the others, or null.
export async function first(proxy) {
  return (await codes()).find((code) => code.startsWith(PROXY_FIRST) === proxy) ?? null;
}

// Keep an upload, whole, and only then strike its code out.
export async function store({ code, visit, sealed }, received) {
  const name = `upload-${hex(crypto.getRandomValues(new Uint8Array(8)))}.json`;
  const plain = { format: "emask-upload/2", code, visit: hex(visit), sealed: hex(sealed), received };
  await keep.put("uploads", name, `${JSON.stringify(plain, null, 1)}\n`);
  await keep.put("facts", "codes", (await codes()).filter((one) => one !== code));
}

// [name, text] of each that waits.
export async function uploads() {
  const names = await keep.names("uploads");
  return Promise.all(names.map(async (name) => [name, await keep.get("uploads", name)]));
}

export const forgetUploads = () => keep.clear("uploads");
