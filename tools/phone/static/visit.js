// Owns the course of a visit, from greeting to farewell (SPEC 4), and of a mere handing over of lists. Knows no screen.
import { ascii, join, pack, same, unpack } from "./bytes.js";
import { PIECE_BYTES, VisitError } from "./channel.js";
import { hkdf, newAgreementKey, open, publicBytes, seal, sha256, sign, unseal } from "./crypto.js";
import * as spec from "./spec.js";
import * as wire from "./wire.js";

const NOTHING = new Uint8Array(0);
const CONSENT_MS = 75_000;  // the wearer has 60 s to agree
const WIPE_MS = 105_000;  // and then the flash is erased
const FOR_CLINICS = spec.ASK_PROXY | spec.ASK_HOUSEHOLD | spec.ASK_PAUSE | spec.ASK_DETAILS;
const NUDGE_MS = 5_000;  // while a person reads: the token waits 15 s for a message
const UNCERTAINTY_S = 2;
const MOST_TURNS = 120;  // of a list: one for each block, and some to repeat
const PROVEN_BYTES = spec.SESSION_BYTES - spec.SIGNATURE_BYTES;

export class NotMine extends VisitError {}

// A certified phone's visit: {status, outcome: "given", "wiped" or "", details: {length, near, sure} or null, over: the
// programme has ended for this token}. VisitError.
//
// own: {vouched, facts, privateKey}; now_ms() -> UTC; lists(serial) -> what a token that holds `serial` is offered, or null.
// hooks: greet(blink) -> is it the wearer's; decide(status) -> what errand.wish gives; progress(what, share); show(number);
// room() before an upload is asked for; store({code, visit, sealed}) before anything else is sent.
export async function visit(channel, own, now_ms, lists, hooks) {
  await channel.open();
  if (!await hooks.greet(() => channel.ask(spec.BLINK, NOTHING, [spec.OK]))) throw new NotMine("another token");
  const opened = await openVisit(channel, own, now_ms, hooks.progress);
  const wish = await whileReading(channel, hooks.decide(opened.status));
  const result = await ask(channel, own, opened, wish, hooks);
  let over = Boolean(opened.status.state & spec.STATE_ENDED);
  const shelf = over || opened.status.state & spec.STATE_SHELF && !(wish.flags & spec.ASK_HANDOVER);
  const list = shelf || result.outcome === "wiped" ? null : await lists(opened.status.list_serial);
  if (list) {
    const taken = await hand(channel, list, hooks.progress) === spec.LIST_OK;
    over = taken && Boolean(list.facts.flags & spec.LIST_END);
  }
  await channel.ask(spec.BYE, NOTHING, [spec.OK]);
  return { status: opened.status, over, ...result };
}

// A stranger's phone brings lists, and is told nothing that it shows. offered: in the order in which they are tried; who
// has the list of the ill is offered that of contacts.
export async function bring(channel, offered, progress) {
  await channel.open();
  let had = false;
  for (const list of offered) {
    if (had && list.facts.kind === spec.F0_LIST) continue;
    const result = await hand(channel, list, progress);
    wants(result >= 0, "the token lets no stranger in");
    had ||= result === spec.LIST_OLD_SERIAL && list.facts.kind === spec.F0_LIST;
    if (![spec.LIST_GAP, spec.LIST_WRONG_REGION, spec.LIST_OLD_SERIAL].includes(result)) break;
  }
  await channel.ask(spec.BYE, NOTHING, [spec.OK]);
}

async function openVisit(channel, own, now_ms, progress) {
  const nonce = await channel.ask(spec.HELLO, pack([1, spec.PROTOCOL_VERSION]), [spec.NONCE]);
  wants(nonce.kind === spec.NONCE && nonce.body.length === spec.NONCE_BYTES && nonce.body[0] === spec.PROTOCOL_VERSION,
    "the token speaks another protocol");
  // Before anything of a new root the token must hear of it; one that knows it passes over it.
  const change = own.change && await channel.ask(spec.ROOT, own.change, [spec.OK]);
  wants(!change || change.kind === spec.OK, "the token does not trust the change of the root");
  progress("check", 0.5);
  const ephemeral = await newAgreementKey();
  const session = await prove(own, nonce.body, await publicBytes(ephemeral.publicKey), now_ms());
  const answer = await channel.ask(spec.SESSION, session, [spec.STATUS]);
  wants(answer.kind === spec.STATUS, "the token does not trust this phone");
  wants(answer.body.length === spec.SEALED_STATUS_BYTES, "a status of wrong length");
  const opening = await sha256(wire.LABEL, ascii("visit"), nonce.body, session);
  const enc = answer.body.slice(0, 32);
  wants(same(await sha256(enc), nonce.body.slice(1)), "the token shows another key than it promised");
  const text = await unseal(ephemeral, join(ascii("emask/1 status\0"), opening), answer.body);
  wants(text, "the token's status is not sealed to this visit");
  progress("check", 1);
  const { fields, secret } = wire.unpackStatus(text);
  return { status: fields, secret, whole: await sha256(opening, enc) };
}

async function prove(own, nonce, ephemeral, now_ms) {
  const body = wire.packSession(own.vouched, ephemeral, now_ms, UNCERTAINTY_S);
  wants(body.length === PROVEN_BYTES, "the phone's certificate is of wrong length");
  const { region, serial } = own.facts;
  const message = wire.signedMessage({ kind: spec.SESSION_PROOF, region, serial }, await sha256(nonce, body));
  return join(body, await sign(own.privateKey, message));
}

async function whileReading(channel, reading) {
  let done = false;
  const wish = reading.finally(() => { done = true; });
  for (;;) {
    const slept = new Promise((resolve) => setTimeout(resolve, NUDGE_MS));
    await Promise.race([wish, slept]);
    if (done) return wish;
    await channel.nudge();
  }
}

async function ask(channel, own, { whole, secret }, wish, hooks) {
  wants(!(wish.flags & FOR_CLINICS) || own.facts.kind === spec.PROXY_KIOSK_KEY, "not certified for a clinic");
  const toToken = await hkdf(secret, whole, ascii("emask/1 ask\0"));
  const toKiosk = await hkdf(secret, whole, ascii("emask/1 reply\0"));
  if (wish.code) await hooks.room();
  const body = seal(toToken, await wire.packAsk(wish));
  const wipes = Boolean(wish.flags & spec.ASK_WIPE);
  if (wipes || wish.code) hooks.show(wire.shortNumber(whole));
  const answer = await channel.ask(spec.ASK, body, [spec.UPLOAD], wipes ? WIPE_MS : wish.code ? CONSENT_MS : undefined);
  const reply = answer.kind === spec.UPLOAD ? open(toKiosk, answer.body) : null;
  wants(reply?.length === 2 + spec.UPLOAD_BLOB_BYTES, "the token's answer is not of this visit");
  const given = reply[0] === spec.UPLOAD_GIVEN, wiped = reply[0] === spec.UPLOAD_WIPED;
  wants(reply[0] <= spec.UPLOAD_WIPED && (wish.code || !given) && (wipes || !wiped), "the token answers what it was not asked");
  if (given) await hooks.store({ code: wish.code, visit: whole, sealed: reply.slice(2) });
  return { outcome: given ? "given" : wiped ? "wiped" : "", details: wire.details(reply[1]) };
}

// Hand over one list: the code of the token's LIST_ACK, or -1.
async function hand(channel, { data, facts }, progress) {
  const answers = [spec.LIST_WANT, spec.LIST_ACK];
  let answer = await channel.ask(spec.LIST_OFFER, data.slice(0, spec.LIST_OFFER_BYTES), answers);
  for (let turn = 0; turn < MOST_TURNS && answer.kind === spec.LIST_WANT; turn++) {
    const offset = wantedOffset(answer.body, data);
    await stream(channel, data, offset, wire.contentEnd(facts, Math.floor(offset / spec.BLOCK_BYTES)), progress);
    answer = await channel.receive(answers);
  }
  return answer.kind === spec.LIST_ACK && answer.body.length === 1 ? answer.body[0] : -1;
}

async function stream(channel, data, offset, end, progress) {
  while (offset < end) {
    const piece = data.subarray(offset, Math.min(offset + PIECE_BYTES, end));
    await channel.send(spec.LIST_DATA, join(pack([4, offset]), piece));
    offset += piece.length;
    progress("list", offset / data.length);
  }
}

function wantedOffset(body, data) {
  wants(body.length === 4, "an answer of the token is malformed");
  const [offset] = unpack(body, [4]);
  wants(offset < data.length, "the token asks for what lies behind the list's end");
  return offset;
}

function wants(holds, what) {
  if (!holds) throw new VisitError(what);
}
