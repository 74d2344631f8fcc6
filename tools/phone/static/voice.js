// Owns what is heard: recorded phrases first, the phone's synthesiser for what is not recorded. Knows no flow.
//
// A result is the wearer's own: it is spoken only where the keeper said that there are earphones.
import { VOICES } from "./site.js";
import { spoken } from "./words.js";

export const OFF = "off", OPEN = "open", EARPHONES = "earphones";
const SLOW = 0.8;
let said = -1;
let playing = null;

// Speak a screen, and cut off the one before. mode: OFF, OPEN or EARPHONES.
export function say(screen, isPrivate, own, mode) {
  if (screen.number === said) return;
  said = screen.number;
  hush();
  if (mode === OFF) return;
  if (isPrivate && mode === OPEN) {
    if (screen.name === "closer") speak("neutral", {}, own);
  } else speak(screen.name, screen.fields, own);
}

function hush() {
  playing?.pause();
  playing = null;
  window.speechSynthesis?.cancel();
}

function speak(name, fields, own) {
  const { day } = fields;
  const dates = day ? [`day-${day.day}`, `month-${day.month}`] : [];
  const grades = Object.keys(own.grades).filter((grade) => grade in fields).map((grade) => `${grade}-${fields[grade]}`);
  const parts = [name, ...dates, ...grades];
  const here = VOICES[own.tag] ?? [];
  if (parts.every((part) => here.includes(part))) return play(parts.map((part) => `voice/${own.tag}/${part}.wav`));
  if (!window.speechSynthesis) return;
  const text = new SpeechSynthesisUtterance(spoken(own, name, fields));
  [text.lang, text.rate] = [own.voice, SLOW];
  window.speechSynthesis.speak(text);
}

function play([first, ...rest]) {
  if (!first) return;
  const sound = playing = new Audio(first);
  sound.addEventListener("ended", () => playing === sound && play(rest));
  sound.play().catch(() => {});  // who hears nothing still has the screen
}
