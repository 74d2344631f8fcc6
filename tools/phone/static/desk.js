// Owns the phone's round: let the person choose a token, serve it as they decide, say how it went. Knows flow and visit,
// no page.
import { Channel, TokenSilent } from "./channel.js";
import * as lists from "./lists.js";
import { read } from "./report.js";
import * as spec from "./spec.js";
import * as stock from "./stock.js";
import { bring, NotMine, visit } from "./visit.js";

export const NO_BLUETOOTH = "P11", NO_ADAPTER = "P12", NO_IDENTITY = "P21", NO_ROOM = "P31", WRONG_CLOCK = "P41";
export const NO_LISTS = "P33", LOST = "P51", BROKE = "P52", NO_CODES = "P81", NO_PROXY = "P82";
const WAIT_MS = 15_000;
const CONNECT_MS = 20_000;
const BLINK_EVERY_MS = 4_000;
const WHICH_MS = 20_000;  // then the token is served without its result being shown
const READ_MS = 70_000;  // what a visit leaves for reading: the list needs the rest of it
const VISIT_MS = 150_000;
const DAYS = 14;

export class Desk {
  #flow;
  #site;
  #waiting = new Set();  // for the next change of the screen
  #round = 0;  // of visits: one that broke off may have a person's reading left behind
  #timer = 0;
  #timed = -1;
  #channel = null;
  busy = false;

  // site: {root, region}; own: the identity that holds, or null for a stranger's phone.
  constructor(flow, site, own, now_ms) {
    [this.#flow, this.#site, this.own, this.now_ms] = [flow, site, own, now_ms];
  }

  // After each change of the flow: sets the screen's limit and wakes who waits for a person.
  changed() {
    this.#wake();
    const { screen, row } = this.#flow;
    if (screen.number === this.#timed) return;
    this.#timed = screen.number;
    clearTimeout(this.#timer);
    if (row.limit_s !== null) this.#timer = setTimeout(() => this.#flow.timeIsUp(), 1000 * row.limit_s);
  }

  // A tap on "stop" while the wearer decides.
  cancel() {
    this.#channel?.lose(new NotMine("stopped on the screen"));
  }

  // To be called from a tap: the browser asks which token, and that one is served.
  async serve() {
    if (this.busy) return;
    this.busy = true;
    try {
      const device = await this.#chosen();
      if (device) await this.#served(device);
    } finally {
      this.busy = false;
      this.#round++;
      this.#wake();
    }
  }

  async #chosen() {
    try {
      return await navigator.bluetooth.requestDevice({ filters: [{ services: [spec.SERVICE_UUID] }] });
    } catch (error) {
      if (error.name !== "NotFoundError") throw error;
      if (!await navigator.bluetooth.getAvailability()) this.#flow.setFault(NO_ADAPTER);
      return null;  // the person chose none
    }
  }

  async #served(device) {
    const flow = this.#flow, errand = flow.errand;
    const offered = await lists.sound(this.#site.root);
    const code = errand === "upload" ? await stock.first(flow.proxy) : null;
    const missing = this.#missing(errand, offered, code);
    if (missing) return flow.broke("retry", missing);
    flow.seen();
    let result;
    try {
      result = await this.#connected(device, (channel) => this.own
        ? visit(channel, this.own, this.now_ms, (serial) => lists.fitting(offered, serial, this.own.facts.region), this.#hooks(errand, code))
        : bring(channel, offered, (what, share) => flow.news(share)));
      if (result?.upload) await stock.store(result.upload, Math.floor(this.now_ms() / 1000));
    } catch (error) {
      return this.#ended(error);
    }
    return flow.finished(result?.outcome ?? "", result?.over);
  }

  #missing(errand, offered, code) {
    if (!this.own && !offered.length) return NO_LISTS;
    if (this.#flow.proxy && this.own.facts.kind !== spec.PROXY_KIOSK_KEY) return NO_PROXY;
    if (errand === "upload" && !code) return NO_CODES;
    const known_s = Math.max(this.own?.facts.since_s ?? 0, offered[0]?.facts.issued_s ?? 0);
    return this.own && this.now_ms() / 1000 < known_s ? WRONG_CLOCK : "";
  }

  #ended(error) {
    if (error instanceof NotMine) return this.#flow.back();
    if (error?.name === "QuotaExceededError") return this.#flow.broke("retry", NO_ROOM);
    return error instanceof TokenSilent ? this.#flow.broke("lost", LOST) : this.#flow.broke("retry", BROKE);
  }

  // what(channel) over a connection that ends with it.
  async #connected(device, what) {
    const gone = () => this.#channel?.lose();
    device.addEventListener("gattserverdisconnected", gone);
    const limit = setTimeout(gone, VISIT_MS);
    try {
      this.#channel = new Channel(...await within(CONNECT_MS, characteristics(device)), WAIT_MS);
      return await what(this.#channel);
    } finally {
      clearTimeout(limit);
      device.removeEventListener("gattserverdisconnected", gone);
      this.#channel = null;
      device.gatt.disconnect();
    }
  }

  // -- hooks of the visit

  #hooks(errand, code) {
    let known = false;
    return {
      greet: async (blink) => {
        known = await this.#greet(blink);
        return known || this.#flow.screen.name === "which";
      },
      decide: (status) => this.#decide(status, errand, code, known),
      progress: (what, share) => what === "check" ? this.#flow.checking(share) : this.#flow.news(share),
      show: (number) => this.#flow.showNumber(number),
    };
  }

  // Blink until the person says whose token it is. Who says nothing is served, but told no result.
  async #greet(blink) {
    const until = performance.now() + WHICH_MS;
    this.#flow.go("which");
    while (this.#flow.screen.name === "which" && performance.now() < until) {
      await blink();
      if (this.#flow.screen.name === "which") await this.#moves(BLINK_EVERY_MS);
    }
    return this.#flow.screen.name === "checking";
  }

  async #decide(status, errand, code, known) {
    const flags = { handover: spec.ASK_HANDOVER, wipe: spec.ASK_WIPE, upload: spec.ASK_UPLOAD }[errand] ?? 0;
    if (status.state & spec.STATE_ENDED) {
      this.#flow.news();
      return { flags: 0, days: 0, code: null };
    }
    if (errand || !known) {
      this.#flow.news();
      return { flags: flags | (this.#flow.proxy ? spec.ASK_PROXY : 0), days: DAYS, code };
    }
    this.#flow.told(read(status, this.now_ms() / 1000));
    const until = performance.now() + READ_MS, round = this.#round;
    const reads = () => round === this.#round && this.#flow.screen.name !== "leave";
    while (reads() && performance.now() < until) await this.#moves(until - performance.now());
    if (reads()) this.#flow.news();
    return { flags: this.#flow.acknowledged ? spec.ASK_ACK_ALERT : 0, days: 0, code: null };
  }

  // Resolves at the next change of the screen, or after so long.
  #moves(wait_ms) {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      setTimeout(resolve, wait_ms);
    });
  }

  #wake() {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

async function characteristics(device) {
  const server = await device.gatt.connect();
  const service = await server.getPrimaryService(spec.SERVICE_UUID);
  return [await service.getCharacteristic(spec.RX_UUID), await service.getCharacteristic(spec.TX_UUID)];
}

function within(wait_ms, promise) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new TokenSilent("no connection")), wait_ms));
  const failed = (error) => { throw new TokenSilent("no connection", { cause: error }); };
  return Promise.race([promise.catch(failed), late]);
}
