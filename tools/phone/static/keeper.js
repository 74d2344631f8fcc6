// Owns the page of who keeps the phone: its key, certificate, codes, uploads, lists and voice. Knows no token.
import { hex, unhex } from "./bytes.js";
import * as identity from "./identity.js";
import * as keep from "./keep.js";
import * as lists from "./lists.js";
import { REGION, ROOT, SITE } from "./site.js";
import * as stock from "./stock.js";
import { keeperLine, language, tags } from "./words.js";
import { WireError } from "./wire.js";

const root = unhex(ROOT);
const own = language(await keep.get("facts", "language") ?? tags[0]);
const say = (name, fields) => keeperLine(own, name, fields);
const at = (id) => document.getElementById(id);
const SIZE_MAX = 65_536;

function day(utc_s) {
  const date = new Date(1000 * utc_s);
  return { day: date.getDate(), month: date.getMonth() + 1 };
}

function download(name, data) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([data]));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function state() {
  const held = await identity.load(root, Date.now() / 1000);
  const sound = await lists.sound(root);
  const words = {
    who: held ? say(held.holds ? "certified" : "ended", { day: day(held.facts.until_s) }) : say("stranger"),
    lists: sound.length ? say("newest", { day: day(sound[0].facts.issued_s) }) : say("nolist"),
    stock: say("stock", { codes: (await stock.codes()).length, uploads: (await stock.uploads()).length }),
  };
  for (const [id, text] of Object.entries(words)) at(id).textContent = text;
  at("voice").value = await keep.get("facts", "voice") ?? "off";
}

function told(text) {
  at("told").textContent = text;
}

async function fileOf(input) {
  const file = input.files[0];
  input.value = "";
  return file && file.size <= SIZE_MAX ? file : null;
}

async function certificate(event) {
  const file = await fileOf(event.target);
  if (!file) return told(say("refused"));
  const data = new Uint8Array(await file.arrayBuffer());
  const took = await identity.take(data, root).catch((error) => {
    if (!(error instanceof WireError)) throw error;
    return false;
  });
  told(say(took ? "taken" : "refused"));
  return state();
}

async function codes(event) {
  const file = await fileOf(event.target);
  told(say(file && await stock.add(await file.text()) ? "taken" : "refused"));
  return state();
}

const actions = {
  key: async () => download("kiosk.pub", `${hex(await identity.publicKey())}\n`),
  news: () => lists.refresh(new URL(SITE, location.href).href, REGION, root)
    .then(() => told(say("taken")), () => told(say("unreached"))),
  export: async () => { for (const [name, text] of await stock.uploads()) download(name, text); },
  forget: () => stock.forgetUploads(),
  leave: () => identity.forget(),
};
let armed = "";

async function press(button) {
  const { action } = button.dataset;
  if ("twice" in button.dataset && armed !== action) {
    armed = action;
    return told(say("sure"));
  }
  armed = "";
  told("");
  await actions[action]();
  return state();
}

document.documentElement.lang = own.voice;
for (const one of document.querySelectorAll("[data-say]")) one.textContent = say(one.dataset.say);
for (const one of document.querySelectorAll("[data-action]")) one.addEventListener("click", () => press(one));
at("certificate").addEventListener("change", certificate);
at("codes").addEventListener("change", codes);
at("voice").addEventListener("change", (event) => keep.put("facts", "voice", event.target.value));
await state();
document.body.dataset.ready = "";
