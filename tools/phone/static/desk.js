// Owns the phone's round: let the person choose a token, serve it as they decide, say how it went. Knows flow and visit,
// no page.
import { Channel, TokenSilent } from "./channel.js";
import * as errands from "./errand.js";
import * as lists from "./lists.js";
import { read } from "./report.js";
import * as spec from "./spec.js";
import * as stock from "./stock.js";
import { bring, NotMine, visit } from "./visit.js";

export const NO_BLUETOOTH = "P11", NO_ADAPTER = "P12", NO_IDENTITY = "P21", NO_ROOM = "P31", WRONG_CLOCK = "P41";
export const NO_LISTS = "P33", LOST = "P51", BROKE = "P52";
const WAIT_MS = 15_000;
const CONNECT_MS = 20_000;
const BLINK_EVERY_MS = 4_000;
const WHICH_MS = 20_000;  // then the token is served without its result being shown
const READ_MS = 70_000;  // what a visit leaves for reading: the list needs the rest of it
const VISIT_MS = 150_000;
const SECRET_BYTES = 16;

export class Desk {
  #flow;
  #site;
  #waiting = new Set();  // for the next change of the screen
  #round = 0;  // of visits: one that broke off may have a person's reading left behind
  #timer = 0;
  #timed = -1;
  #channel = null;
  #household = null;  // the secret of the household that is being told to its tokens; it is kept nowhere else
  busy = false;

  // site: {root, region}; own: the identity that holds, or null for a stranger's phone.
  constructor(flow, site, own, now_ms) {
    [this.#flow, this.#site, this.own, this.now_ms] = [flow, site, own, now_ms];
  }

  // After each change of the flow: sets the screen's limit and wakes who waits for a person.
  changed() {
    this.#wake();
    const { screen, row, errand } = this.#flow;
    if (errand !== "household") this.#household = null;
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
    const flow = this.#flow;
    if (flow.errand === "household") this.#household ??= crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
    const errand = await errands.chosen(flow, this.#household);
    const offered = await lists.sound(this.#site.root);
    const missing = this.#missing(errand, offered);
    if (missing) return flow.broke("retry", missing);
    flow.seen();
    let result;
    try {
      result = await this.#connected(device, (channel) => this.own
        ? visit(channel, this.own, this.now_ms, (serial) => lists.fitting(offered, serial, this.own.facts.region), this.#hooks(errand))
        : bring(channel, offered, (what, share) => flow.news(share)));
    } catch (error) {
      return this.#ended(error);
    }
    return flow.finished(result);
  }

  #missing(errand, offered) {
    if (!this.own && !offered.length) return NO_LISTS;
    const missing = errands.missing(errand, this.#flow.clinic);
    if (missing) return missing;
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

  #hooks(errand) {
    let known = false;
    return {
      greet: async (blink) => {
        known = await this.#greet(blink);
        return known || this.#flow.screen.name === "which";
      },
      decide: (status) => this.#decide(status, errand, known),
      progress: (what, share) => what === "check" ? this.#flow.checking(share) : this.#flow.news(share),
      show: (number) => this.#flow.showNumber(number),
      room: stock.makeRoom,
      store: (upload) => stock.store(upload, Math.floor(this.now_ms() / 1000)),
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

  async #decide(status, errand, known) {
    const ended = status.state & spec.STATE_ENDED;
    if (ended || errand.name || !known) {
      this.#flow.news();
      return ended ? errands.NOTHING : errands.wish(errand);
    }
    this.#flow.told(read(status, this.now_ms() / 1000));
    const until = performance.now() + READ_MS, round = this.#round;
    const reads = () => round === this.#round && this.#flow.screen.name !== "leave";
    while (reads() && performance.now() < until) await this.#moves(until - performance.now());
    if (reads()) this.#flow.news();
    const { acknowledged, detailed } = this.#flow;
    return { ...errands.NOTHING, flags: (acknowledged ? spec.ASK_ACK_ALERT : 0) | (detailed ? spec.ASK_DETAILS : 0) };
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
