// Owns the page as a whole: who the phone is, flow, desk, screens and voice. The composition root.
import { Desk, NO_BLUETOOTH, NO_IDENTITY } from "./desk.js";
import { Flow } from "./flow.js";
import * as identity from "./identity.js";
import * as keep from "./keep.js";
import * as lists from "./lists.js";
import { listen, show } from "./screen.js";
import { PHONE, REGION, ROOT, SITE } from "./site.js";
import { PROXY_KIOSK_KEY } from "./spec.js";
import { unhex } from "./bytes.js";
import * as voice from "./voice.js";
import { language, tags } from "./words.js";

const REFRESH_MS = 3_600_000;
const main = document.getElementById("screen");
const root = unhex(ROOT);
let own = language(tags[0]);
let spoken = voice.OFF;

async function start() {
  if ("serviceWorker" in navigator) await navigator.serviceWorker.register("./sw.js").catch(() => {});
  navigator.storage?.persist?.();
  spoken = await keep.get("facts", "voice") ?? voice.OFF;
  own = language(await keep.get("facts", "language"));
  await bringNews();
  const held = await identity.load(root, Date.now() / 1000);
  const certified = Boolean(held?.holds), clinic = certified && held.facts.kind === PROXY_KIOSK_KEY;
  const flow = new Flow({ certified, clinic, phone: PHONE, changed });
  const desk = new Desk(flow, { root }, held?.holds ? held : null, () => Date.now());
  listen(main, (button) => press(flow, desk, button));
  flow.setFault(fault(held));
  changed();
  setInterval(bringNews, REFRESH_MS);

  function changed() {
    const others = flow.screen.name === "start" ? tags.filter((tag) => tag !== own.tag).map(language) : [];
    show(main, flow, own, others);
    voice.say(flow.screen, flow.row.private, own, spoken);
    desk.changed();
  }

  async function press(flow, desk, button) {
    const { tap, language: tag } = button.dataset;
    if (tag) {
      own = language(tag);
      await keep.put("facts", "language", tag);
      changed();
    } else if (tap === "keeper") location.assign("keeper.html");
    else if (tap === "find") await desk.serve();
    else {
      if (["number", "still"].includes(flow.screen.name)) desk.cancel();
      flow.tap(tap);
    }
  }
}

// Lists and a certificate, if there is a network; without one, what is here serves.
async function bringNews() {
  await lists.refresh(new URL(SITE, location.href).href, REGION, root).catch((error) => {
    if (!(error instanceof lists.FetchError)) throw error;
  });
}

function fault(held) {
  if (!navigator.bluetooth) return NO_BLUETOOTH;
  return held && !held.holds ? NO_IDENTITY : "";
}

start();
