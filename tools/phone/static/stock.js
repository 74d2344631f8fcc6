// Owns the phone's stock of upload codes, and the uploads that wait to be carried to the authority. Knows no token.
import { hex } from "./bytes.js";
import * as keep from "./keep.js";
import { CODES } from "./site.js";
import { CODE_BYTES } from "./spec.js";

const CODE = /^1?[2-9A-HJ-NP-Z]+$/;
const ROOM_BYTES = 8192;  // an upload has less than 2,000

export async function codes() {
  return await keep.get("facts", "codes") ?? [];
}

// Add the codes of a file's text: how many were new.
export async function add(text) {
  const held = await codes();
  const fresh = [...new Set(text.split(/\s+/))].filter((word) => CODE.test(word) && word.length === CODE_BYTES && !held.includes(word));
  await keep.put("facts", "codes", [...held, ...fresh]);
  return fresh.length;
}

// The next code of a kind of CODES, or null. One whose upload waits was used before the page was closed.
export async function first(kind) {
  const spent = (await uploads()).map(([, text]) => JSON.parse(text).code);
  return (await codes()).find((code) => kindOf(code) === kind && !spent.includes(code)) ?? null;
}

function kindOf(code) {
  return Object.keys(CODES).find((kind) => CODES[kind] && code.startsWith(CODES[kind])) ?? "plain";
}

// Hold the room for one upload until it is stored: what a token gives it gives once.
export const makeRoom = () => keep.put("facts", "room", new Uint8Array(ROOM_BYTES));

// Keep an upload, whole, and only then strike its code out.
export async function store({ code, visit, sealed }, received) {
  await keep.remove("facts", "room");
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
