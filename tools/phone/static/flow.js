// Owns which screen is shown and what a tap on it leads to: a state machine over the table of site.js, which is the
// kiosk's own. Knows no radio, clock, word or page.
import { TABLE } from "./site.js";

const BARS = ["checking", "leave"];

export class Flow {
  report = null;
  errand = "";  // what the staff want of the next token
  proxy = false;  // a representative agreed in the wearer's place
  acknowledged = false;
  over = false;  // the programme has ended for this token
  fault = "";
  #changed;

  // certified: may do all; phone: whom to call; changed(): after each change.
  constructor({ certified, phone, changed }) {
    [this.certified, this.phone, this.#changed] = [certified, phone, changed];
    this.screen = { name: "start", number: 0, fields: {}, share: null };
  }

  get row() {
    return TABLE[this.screen.name];
  }

  get taps() {
    return Object.keys(this.row.taps).filter((tap) => tap !== "staff" || this.certified);
  }

  tap(name) {
    if (!this.taps.includes(name)) return false;
    const { name: here } = this.screen;
    if (here === "staff" && name !== "start" || here === "erase" && name === "wipe") this.errand = name;
    if (here === "consent") this.proxy = name === "proxy";
    if (here === "advice" || here === "withdrawn" && name === "next") this.acknowledged = true;
    this.go(this.row.taps[name]);
    return true;
  }

  timeIsUp() {
    if (this.row.limit_s !== null) this.go(this.row.then);
  }

  seen() {
    [this.report, this.acknowledged, this.over] = [null, false, false];
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

  // outcome: "given", "wiped" or "", of what was asked of the wearer; over: the programme has ended for this token.
  finished(outcome, over = false) {
    const errand = this.errand;
    [this.errand, this.proxy, this.over] = ["", false, over];
    if (over && (errand || !this.report)) this.go("ended");
    else if (errand === "upload") this.go(outcome === "given" ? "given" : "kept");
    else if (errand === "wipe") this.go(outcome === "wiped" ? "wiped" : "unwiped");
    else if (errand) this.go("handed");
    else if (this.certified && !this.report) this.go("blind");
    else if (this.report?.care) this.go(this.report.care, { code: this.report.codes });
    else this.go("done");
  }

  broke(screen, code) {
    [this.errand, this.proxy] = ["", false];
    this.go(screen, { code });
  }

  // What keeps the phone from serving, or "".
  setFault(code) {
    this.fault = code;
    if (["start", "closed"].includes(this.screen.name)) this.go("start");
  }

  #progress(name, share) {
    if (this.screen.name !== name) return this.go(name);
    this.screen = { ...this.screen, share };
    this.#changed();
  }

  go(name, fields = {}) {
    if (name === "result") name = this.report.result;
    if (name === "start") [this.errand, this.proxy] = ["", false];
    if (name === "start" && this.fault) [name, fields] = ["closed", { code: this.fault }];
    if (name === "done" && this.over) name = "ended";
    if (TABLE[name].private && this.report) {
      fields = { day: name === "alert" ? this.report.alert_day : this.report.day, phone: this.phone };
    }
    this.screen = { name, number: this.screen.number + 1, fields, share: BARS.includes(name) ? 0 : null };
    this.#changed();
  }
}
