// Owns what a screen looks like: the same elements as the kiosk's page, so that its style sheet serves both; focus and
// keys. Knows no flow and no token.
import { AWAY, PICTURES } from "./site.js";
import { label, sentences } from "./words.js";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function picture(name) {
  const svg = new DOMParser().parseFromString(PICTURES[name], "image/svg+xml").documentElement;
  return element("div", { class: "picture", "aria-hidden": "true" }, document.adoptNode(svg));
}

function button(text, attributes) {
  return element("button", { type: "button", ...attributes }, text);
}

function tapButtons(taps, own) {
  const made = taps.map((tap, at) => button(label(own, tap), {
    "data-tap": tap, ...(at === 0 && !AWAY.includes(tap) ? { class: "main" } : {}),
  }));
  return element("p", { class: "taps" }, ...made);
}

// Put a screen into `main`. others: languages to choose from, where one may.
export function show(main, { screen, taps }, own, others) {
  const bar = main.querySelector("progress");
  const before = main.querySelector(".screen");
  document.documentElement.lang = own.voice;
  if (before?.dataset.number === String(screen.number) && before.dataset.tag === own.tag && bar) {
    bar.value = 100 * screen.share;  // only the bar moved: nothing is read out again
    return;
  }
  const lines = sentences(own, screen.name, screen.fields);
  const heading = element("h1", { tabindex: "-1" }, ...lines.flatMap((line) => [element("span", {}, line), " "]));
  const words = element("div", { class: "words" }, heading);
  if ("a" in screen.fields) {
    const digits = [screen.fields.a, screen.fields.b].map((digit) => element("b", {}, String(digit)));
    words.append(element("p", { class: "digits" }, ...digits.flatMap((digit) => [digit, " "])));
  }
  if (screen.share !== null) {
    words.append(element("progress", { max: "100", value: String(100 * screen.share), "aria-label": lines[0] }));
  }
  if (taps.length) words.append(tapButtons(taps, own));
  if (others.length) {
    const choices = others.map((one) => button(one.name.replaceAll("_", "\u00a0"), { lang: one.tag, "data-language": one.tag }));
    words.append(element("p", { class: "taps others" }, ...choices));
  }
  const attributes = { class: "screen", "data-name": screen.name, "data-number": String(screen.number), "data-tag": own.tag };
  main.replaceChildren(element("section", attributes, picture(screen.name), words));
  heading.focus();
}

// Taps, arrows and the digits 1 to 9: press(button) is called with the one that is meant.
export function listen(main, press) {
  const buttons = () => [...main.querySelectorAll("button")];
  main.addEventListener("click", (event) => {
    const found = event.target.closest("button");
    if (found) press(found);
  });
  document.addEventListener("keydown", (event) => {
    const all = buttons(), at = all.indexOf(document.activeElement);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step && all.length) all[at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length].focus();
    else if (event.key >= "1" && event.key <= "9" && all[event.key - 1]) press(all[event.key - 1]);
    else return;
    event.preventDefault();
  });
}
