// Owns which screen is shown and what a tap on it leads to: a state machine over the table of site.js, which is the
// kiosk's own. Knows no radio, clock, word or page.
import { PAUSES_MIN, TABLE } from "./site.js";

const BARS = ["checking", "leave"];

export class Flow {
  report = null;
  errand = "";  // what the staff want of the next token
  proxy = false;  // a representative agreed in the wearer's place
  pause_min = 0;
  acknowledged = false;
  detailed = false;
  over = false;  // the programme has ended for this token
  fault = "";
  #changed;

  // certified: as a kiosk; clinic: as a clinic's; phone: whom to call; changed(): after each change.
  constructor({ certified, clinic = false, phone, changed }) {
    [this.certified, this.clinic, this.phone, this.#changed] = [certified, clinic, phone, changed];
    this.screen = { name: "start", number: 0, fields: {}, share: null };
  }

  get row() {
    return TABLE[this.screen.name];
  }

  get taps() {
    const hidden = { staff: !this.certified, details: !this.clinic };
    return Object.keys(this.row.taps).filter((tap) => !hidden[tap]);
  }

  tap(name) {
    if (!this.taps.includes(name)) return false;
    const { name: here } = this.screen;
    if (["staff", "tasks", "erase"].includes(here)) this.errand = name;
    if (here === "pause") this.pause_min = PAUSES_MIN[name] ?? 0;
    if (here === "consent") this.proxy = name === "proxy";
    if (here === "advice" || here === "withdrawn") this.acknowledged = true;
    if (here === "advice") this.detailed = name === "details";
    this.go(this.row.taps[name]);
    return true;
  }

  timeIsUp() {
    if (this.row.limit_s !== null) this.go(this.row.then);
  }

  seen() {
    [this.report, this.acknowledged, this.detailed, this.over] = [null, false, false, false];
    this.go("seen");
  }

  back() {
    this.go(this.errand ? "press" : "start");
  }

  checking(share) {
    this.#progress("checking", share);
  }

  news(share = 0) {
    this.#progress("leave", share);
  }

  told(report) {
    this.report = report;
    this.go("closer");
  }

  showNumber([a, b]) {
    this.go(this.proxy ? "still" : "number", { a, b });
  }

  // outcome: "given", "wiped" or "", of what was asked of the wearer; details: {length, near, sure} if they were asked
  // for; over: the programme has ended for this token.
  finished({ outcome = "", details = null, over = false } = {}) {
    this.over = over;
    if (over && (this.errand || !this.report)) return this.#afterErrand("ended");
    if (this.errand === "household") return this.go("joined");  // and the next token may come
    if (this.errand) return this.#afterErrand(this.#done(outcome));
    if (this.certified && !this.report) return this.go("blind");
    return details ? this.go("details", details) : this.go("rest");
  }

  broke(screen, code) {
    if (this.errand === "household") return this.go("unjoined", { code });
    return this.#afterErrand(screen, { code });
  }

  // What keeps the phone from serving, or "".
  setFault(code) {
    this.fault = code;
    if (["start", "closed"].includes(this.screen.name)) this.go("start");
  }

  // The screen that says how the errand went.
  #done(outcome) {
    const given = outcome === "given", wiped = outcome === "wiped";
    return {
      upload: given ? "given" : "kept",
      contact: given ? "noted" : "kept",
      pause: this.pause_min ? "paused" : "resumed",
      wipe: wiped ? "wiped" : "unwiped",
    }[this.errand] ?? "handed";
  }

  #afterErrand(name, fields = {}) {
    [this.errand, this.proxy] = ["", false];
    this.go(name, fields);
  }

  #progress(name, share) {
    if (this.screen.name !== name) return this.go(name);
    this.screen = { ...this.screen, share };
    this.#changed();
  }

  go(name, fields = {}) {
    if (name === "result") name = this.report.result;
    if (name === "rest") [name, fields] = this.report?.care ? [this.report.care, { code: this.report.codes }] : ["done", {}];
    if (name === "start") [this.errand, this.proxy] = ["", false];
    if (name === "start" && this.fault) [name, fields] = ["closed", { code: this.fault }];
    if (name === "done" && this.over) name = "ended";
    if (TABLE[name].private && this.report && !Object.keys(fields).length) {
      fields = { day: name === "alert" ? this.report.alert_day : this.report.day, phone: this.phone };
    }
    this.screen = { name, number: this.screen.number + 1, fields, share: BARS.includes(name) ? 0 : null };
    this.#changed();
  }
}
