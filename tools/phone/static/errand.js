// Owns what the staff want of the next token, and whether the phone has what that takes. Knows no screen and no radio.
import * as spec from "./spec.js";
import * as stock from "./stock.js";

export const NO_CODES = "P81", NO_CLINIC = "P82";
const FLAGS = {
  handover: spec.ASK_HANDOVER, wipe: spec.ASK_WIPE, upload: spec.ASK_UPLOAD, contact: spec.ASK_F1,
  household: spec.ASK_HOUSEHOLD, pause: spec.ASK_PAUSE,
};
const CODED = ["upload", "contact"];  // an upload, with a code
const FOR_CLINICS = ["household", "pause"];

// The errand that was chosen on the page. secret: of the household that tokens join just now, or null.
export async function chosen({ errand: name, proxy, pause_min }, secret) {
  const kind = name === "contact" ? "f1" : proxy ? "proxy" : "plain";
  return {
    name,
    proxy,
    code: CODED.includes(name) ? await stock.first(kind) : null,
    household: name === "household" ? secret : null,
    pause_min: name === "pause" ? pause_min : 0,
  };
}

// The staff code of what it needs and the phone has not, or "". clinic: certified as a clinic's.
export function missing({ name, proxy, code }, clinic) {
  if ((proxy || FOR_CLINICS.includes(name)) && !clinic) return NO_CLINIC;
  return CODED.includes(name) && !code ? NO_CODES : "";
}

// What is asked of the token for it.
export function wish({ name, proxy, code, household, pause_min }) {
  const flags = (FLAGS[name] ?? 0) | (proxy ? spec.ASK_PROXY : 0);
  return { flags, days: code ? spec.INFECTIOUS_DAYS : 0, code, household, pause_min };
}

export const NOTHING = wish({ name: "", proxy: false, code: null, household: null, pause_min: 0 });
