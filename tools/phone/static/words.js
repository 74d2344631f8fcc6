// Owns what the phone says: texts of site.js in one language, with dates and numbers put in. Knows no screen's order.
import { LANGUAGES } from "./site.js";

const TIED = "\u00a0";
const SENTENCE = /(?<=[.?!]) /;

export const tags = LANGUAGES.map((language) => language.tag);

export function language(tag) {
  return LANGUAGES.find((one) => one.tag === tag) ?? LANGUAGES[0];
}

function filled(text, fields) {
  return text.replace(/\{(\w+)\}/g, (_, name) => fields[name]);
}

function shown(text) {
  return text.replaceAll("_", TIED);
}

function written(own, value) {
  if (!value?.month) return value;
  return filled(own.pattern, { ...value, name: own.spoken.months[value.month - 1] });
}

function said(own, value) {
  const { spoken } = own;
  if (value?.month) return filled(spoken.date, { day: spoken.days[value.day - 1], month: spoken.months[value.month - 1] });
  return [...String(value)].filter((sign) => sign.trim()).map((sign) => spoken.digits[sign] ?? sign).join(" ");
}

function each(own, fields, how) {
  const put = ([name, value]) => [name, own.grades[name]?.[value] ?? how(own, value)];
  return Object.fromEntries(Object.entries(fields).map(put));
}

// The sentences of a screen.
export function sentences(own, name, fields) {
  return shown(filled(own.screen[name], each(own, fields, written))).split(SENTENCE);
}

export function label(own, tap) {
  return shown(own.tap[tap]);
}

export function keeperLine(own, name, fields = {}) {
  return shown(filled(own.keeper[name], each(own, fields, written)));
}

// The text for a synthesiser: dates and numbers in words, as it would blur numerals.
export function spoken(own, name, fields) {
  return filled(own.screen[name], each(own, fields, said)).replaceAll("_", " ");
}
