// Owns what a token's sealed status means to a person; the same as tools/kiosk/hall/report.py, and a test holds the two
// together. Knows no radio, no screen and no language.
import * as spec from "./spec.js";

const ZONE_S = 7 * 3600;  // Viet Nam
const STALE_DAYS = 7;
const WEAK_MV = 3600, EMPTY_MV = 3450;
const MANY_RESETS = 16;

// {result, day, alert_day, care, codes}; days are {day, month}, or null; care: the screen of what the token needs, or "".
export function read(status, now_s) {
  const { state, list_issued_s: issued_s } = status;
  const checked = issued_s > 0 && !(state & spec.STATE_LIST_WAITS);
  const days = checked ? localDays(issued_s) : null;
  const findings = found(status, now_s);
  return {
    result: result(status, days, localDays(now_s)),
    day: days === null ? null : date(days),
    alert_day: state & spec.STATE_ALERT ? date(status.alert_day) : null,
    care: care(findings),
    codes: findings.map((finding) => finding.code).join(" "),
  };
}

function care(findings) {
  const broken = findings.some((finding) => finding.broken);
  const battery = findings.length === 1 && ["T11", "T12"].includes(findings[0].code);
  if (battery) return broken ? "empty" : "battery";
  return broken ? "broken" : findings.length ? "weak" : "";
}

function localDays(utc_s) {
  return Math.floor((utc_s + ZONE_S) / spec.DAY_S);
}

function date(days) {
  const at = new Date(days * spec.DAY_S * 1000);
  return { day: at.getUTCDate(), month: at.getUTCMonth() + 1 };
}

function result({ state, alert_day, list_issued_s }, days, today) {
  if (state & spec.STATE_ALERT) return "alert";
  if (alert_day === spec.ALERT_TAKEN_BACK) return "withdrawn";
  if (state & spec.STATE_LESSER) return "lesser";
  if (days === null) return list_issued_s ? "waiting" : "new";
  return today - days > STALE_DAYS ? "stale" : "none";
}

function found(status, now_s) {
  const { state, battery_mv } = status;
  const shelf = state & spec.STATE_SHELF, listed = status.list_issued_s;
  const rules = [
    [battery_mv < EMPTY_MV, "T12", true],
    [state & spec.STATE_STORE_WORN, "T42", true],
    [EMPTY_MV <= battery_mv && battery_mv < WEAK_MV, "T11"],
    [!shelf && !(state & spec.STATE_TIME_KNOWN), "T21"],
    [!shelf && listed && !status.adverts_heard, "T31"],
    [status.damaged, "T41"],
    [state & spec.STATE_STORE_FULL, "T43"],
    [!shelf && listed && now_s - listed > STALE_DAYS * spec.DAY_S, "T61"],
    [status.resets >= MANY_RESETS, "T71"],
  ];
  return rules.filter(([holds]) => holds).map(([, code, broken = false]) => ({ code, broken }));
}
