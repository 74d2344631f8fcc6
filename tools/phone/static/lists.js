// Owns the lists that the phone carries: fetched from a static site (SPEC 15), resumed where they were cut, kept only if
// they are signed up to the root. The site is not trusted. Knows no token.
import { hex, join } from "./bytes.js";
import { sha256 } from "./crypto.js";
import * as identity from "./identity.js";
import * as keep from "./keep.js";
import { ANY_REGION, BLOCK_BYTES, CERTIFICATE_BYTES, F0_LIST, F1_LIST } from "./spec.js";
import { list as check, WireError } from "./wire.js";

const LARGEST_BYTES = 100 * BLOCK_BYTES;
const LARGEST_INDEX_BYTES = 65_536;
const MOST_LISTS = 256;
const SAVE_BYTES = 32_768;  // what a cut costs at most
const NAME = /^[a-z0-9-]{1,80}\.eml$/;

export class FetchError extends Error {}

// Bring what is new: {taken, refused}. site: its address, ending with "/"; region: 0 for every one. FetchError.
export async function refresh(site, region, root) {
  await fetchVouched(site, "root.change", (data) => identity.takeChange(data, root));
  await fetchVouched(site, await identity.certificateName(), (data) => identity.take(data, root));
  const wanted = (await index(site)).filter((entry) => !region || [ANY_REGION, region].includes(entry.region));
  const done = { taken: 0, refused: 0 };
  const here = await keep.names("lists");
  for (const entry of wanted.filter(({ name }) => !here.includes(name))) {
    try {
      await keep.put("lists", entry.name, await whole(site, entry, root));
      done.taken++;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      done.refused++;
    }
    await keep.remove("parts", entry.name);
  }
  if (!done.refused) await forgetOthers(new Set(wanted.map((entry) => entry.name)));
  return done;
}

async function fetchVouched(site, name, take) {
  const answer = await asked(site + name);
  if (!answer.ok) return;  // most often there is none
  const data = new Uint8Array(await answer.arrayBuffer());
  if (data.length === CERTIFICATE_BYTES) await take(data).catch(onlyWire);
}

async function index(site) {
  const answer = await asked(`${site}index.json`, { cache: "no-cache" });
  if (!answer.ok) throw new FetchError(`the site answered ${answer.status}`);
  const text = await answer.text();
  let plain = null;
  try {
    plain = text.length <= LARGEST_INDEX_BYTES ? JSON.parse(text) : null;
  } catch { /* said below */ }
  const fits = plain?.format === "emask-lists/1" && Array.isArray(plain.lists) && plain.lists.length <= MOST_LISTS &&
    plain.lists.every((entry) => NAME.test(entry?.name) && Number.isInteger(entry.region) &&
      entry.bytes > 0 && entry.bytes <= LARGEST_BYTES && /^[0-9a-f]{64}$/.test(entry.sha256));
  if (!fits) throw new FetchError("the site's index is none");
  return plain.lists;
}

// The bytes of one list, begun where an earlier try was cut off. WireError if they are not what was promised or signed.
async function whole(site, entry, root) {
  let have = await keep.get("parts", entry.name) ?? new Uint8Array(0);
  const headers = have.length ? { Range: `bytes=${have.length}-` } : {};
  const answer = await asked(site + entry.name, { headers, cache: "no-store" });
  if (answer.status === 200) have = new Uint8Array(0);
  else if (answer.status !== 206) throw new FetchError(`the site answered ${answer.status}`);
  const data = await collected(answer.body.getReader(), have, entry);
  if (hex(await sha256(data)) !== entry.sha256) throw new WireError("list is not what the index says");
  await check(data, root);
  return data;
}

async function collected(reader, data, { name, bytes }) {
  let saved = data.length;
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      data = join(data, piece.value);
      if (data.length > bytes) throw new WireError("list is longer than the index says");
      if (data.length - saved >= SAVE_BYTES) await keep.put("parts", name, data.slice(0, saved = data.length));
    }
  } catch (error) {
    if (error instanceof WireError) throw error;
    await keep.put("parts", name, data);
    throw new FetchError("the line broke");
  }
  return data;
}

async function asked(url, how = {}) {
  try {
    return await fetch(url, { credentials: "omit", redirect: "follow", ...how });
  } catch {
    throw new FetchError("the site can't be reached");
  }
}

async function forgetOthers(current) {
  for (const store of ["lists", "parts"]) {
    for (const name of await keep.names(store)) if (!current.has(name)) await keep.remove(store, name);
  }
}

function onlyWire(error) {
  if (!(error instanceof WireError)) throw error;
}

// All sound lists as {data, facts}: those of the ill first, the highest serial first, of one serial the shortest first.
export async function sound(root) {
  const found = [];
  for (const data of await keep.all("lists")) {
    const facts = await check(data, root).catch(onlyWire);
    if (facts) found.push({ data, facts });
  }
  return found.sort((a, b) => a.facts.kind - b.facts.kind || b.facts.serial - a.facts.serial ||
    a.data.length - b.data.length || b.facts.base - a.facts.base);
}

// What a token that holds `serial` is offered, or null: the newest list of the ill, in the shortest form that leaves no
// gap; if it has that, the list of contacts. region 0: any.
export function fitting(lists, serial, region) {
  const own = lists.filter(({ facts }) => !region || facts.region === region);
  const ill = own.find(({ facts }) => facts.kind === F0_LIST && facts.base <= serial);
  if (ill && ill.facts.serial > serial) return ill;
  return own.find(({ facts }) => facts.kind === F1_LIST) ?? null;
}
