// Owns the layouts that a kiosk packs and reads (SPEC 4.3, 5, 14). Knows no radio, no store and no screen.
import { ascii, hex, join, pack, unpack } from "./bytes.js";
import { sha256, verify } from "./crypto.js";
import * as spec from "./spec.js";

export const LABEL = ascii("emask/1\0");
const HEAD_BYTES = 8;
const MANIFEST_AT = 152;
const LONGEST_KIOSK_S = 14 * spec.DAY_S;
const STATUS_SIZES = [1, 2, 1, 2, 4, 4, 2, 4, 4, 2, 2, 2];
const STATUS_FIELDS = ["protocol", "firmware", "state", "battery_mv", "list_serial", "list_issued_s", "alert_day", "sightings",
  "adverts_heard", "adverts_dropped", "resets", "damaged"];
const STATUS_BYTES = STATUS_SIZES.reduce((sum, size) => sum + size, 0);

export class WireError extends Error {}

function wants(holds, what) {
  if (!holds) throw new WireError(what);
}

// -- signed statements

function head(data) {
  wants(data.length >= HEAD_BYTES, "statement is cut short");
  const [version, kind, region, serial] = unpack(data, [1, 1, 2, 4]);
  wants(version === 1, "statement of an unknown version");
  return { kind, region, serial };
}

export function signedMessage({ kind, region, serial }, digest) {
  return join(LABEL, pack([1, kind], [2, region], [4, serial]), digest);
}

async function isSigned(statement, key) {
  const content = statement.slice(0, -spec.SIGNATURE_BYTES);
  return verify(key, signedMessage(head(content), await sha256(content)), statement.slice(-spec.SIGNATURE_BYTES));
}

// The facts of a certificate that `root` vouches for; WireError.
export async function certificate(data, root, kinds) {
  wants(data.length === spec.CERTIFICATE_BYTES, "certificate of wrong length");
  const facts = head(data);
  wants(kinds.includes(facts.kind), "certificate of another kind");
  const [since_s, until_s] = unpack(data, [4, 4], HEAD_BYTES);
  const term_s = until_s - since_s;
  wants(term_s > 0 && (facts.kind === spec.LIST_KEY || term_s <= LONGEST_KIOSK_S), "certificate of an impossible term");
  wants(await isSigned(data, root), "certificate is not signed by that root");
  return { ...facts, since_s, until_s, key: data.slice(16, 48), seal_key: data.slice(48, 80) };
}

// The key in a change of the root (SPEC 14); the tokens that it is shown to check whose word it is. WireError.
export function newRoot(data) {
  wants(data.length === spec.CERTIFICATE_BYTES && head(data).kind === spec.ROOT_KEY, "not a change of the root");
  return data.slice(16, 48);
}

// -- the visit

export function packSession(vouched, ephemeral, now_ms, uncertainty_s) {
  return join(vouched, ephemeral, pack([4, Math.floor(now_ms / 1000)], [2, now_ms % 1000], [2, uncertainty_s], [1, 0]));
}

export function unpackStatus(text) {
  wants(text.length === STATUS_BYTES + 32, "status of wrong length");
  const values = unpack(text, STATUS_SIZES);
  return { fields: Object.fromEntries(STATUS_FIELDS.map((name, at) => [name, values[at]])), secret: text.slice(STATUS_BYTES) };
}

// wish: {flags, days, code, household, pause_min}.
export async function packAsk({ flags, days, code, household, pause_min }) {
  const field = new Uint8Array(32);
  if (code) field.set(await sha256(ascii("emask code\0"), ascii(code)));
  else field.set(household ?? pack([2, pause_min]));
  return join(pack([1, flags & 255], [1, days], [2, flags >> 8]), field);
}

// {length, near, sure}, 0 to 3 each, of an alert's grade; null: there is no alert, or nobody asked.
export function details(grade) {
  return grade ? { length: grade >> 2 & 3, near: grade >> 4 & 3, sure: grade >> 6 } : null;
}

export function shortNumber(whole) {
  return [whole[0] % 6 + 1, whole[1] % 6 + 1];
}

// -- list files

// What a list file says of itself, if it is whole and signed up to `root`; WireError.
export async function list(data, root) {
  wants(data.length >= MANIFEST_AT, "list is cut short");
  const end = MANIFEST_AT + unpack(data, [2], 4)[0];
  wants(hex(data.slice(0, 4)) === "454d4c32" && end <= spec.BLOCK_BYTES && end <= data.length, "not a list file");
  const key = await certificate(data.slice(8, MANIFEST_AT), root, [spec.LIST_KEY]);
  const manifest = data.slice(MANIFEST_AT, end);
  const facts = head(manifest);
  wants([spec.F0_LIST, spec.F1_LIST].includes(facts.kind), "not a list");
  wants(await isSigned(manifest, key.key), "list is not signed");
  const [issued_s, base, , , flags, , , , chunks] = unpack(manifest, [4, 4, 4, 1, 1, 1, 1, 1, 1], HEAD_BYTES);
  wants(key.since_s <= issued_s && issued_s <= key.until_s && [spec.ANY_REGION, facts.region].includes(key.region),
    "list key does not serve this list");
  wants(data.length === spec.BLOCK_BYTES * (1 + chunks), "list is of another size than it says");
  await checkChunks(data, manifest, chunks);
  return { ...facts, issued_s, base, flags, chunks, end };
}

async function checkChunks(data, manifest, chunks) {
  const first = manifest.length - spec.SIGNATURE_BYTES - 32 * chunks;
  wants(first >= HEAD_BYTES, "list manifest is of another size than it says");
  for (let chunk = 0; chunk < chunks; chunk++) {
    const start = spec.BLOCK_BYTES * (1 + chunk);
    const found = await sha256(data.subarray(start, start + spec.BLOCK_BYTES));
    wants(hex(found) === hex(manifest.slice(first + 32 * chunk, first + 32 * chunk + 32)), "list is damaged");
  }
}

// Where in a list file the content of a block ends: block 0 is not full.
export function contentEnd(facts, block) {
  return block ? spec.BLOCK_BYTES * (block + 1) : facts.end;
}
