// The kiosk's page: shows the screen that the server holds, sends taps, moves focus for keys and switches.
"use strict";

const main = document.getElementById("screen");
const down = document.getElementById("down");
const SCAN_MS = 2500;
let scanned = -1;

function buttons() {
  return [...main.querySelectorAll("button")];
}

function show(screen) {
  const before = main.querySelector(".screen");
  const same = before.dataset.number === String(screen.number) && document.documentElement.lang === screen.tag;
  const bar = main.querySelector("progress");
  document.documentElement.lang = screen.tag;
  if (same && bar) {  // only the bar moved: nothing is read out again
    bar.value = new DOMParser().parseFromString(screen.html, "text/html").querySelector("progress").value;
    return;
  }
  main.innerHTML = screen.html;
  scanned = -1;
  main.querySelector("h1").focus();
}

async function send(body) {
  const number = Number(main.querySelector(".screen").dataset.number);
  await fetch("/tap", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Emask": "1" },
    body: JSON.stringify({ number, ...body }),
  }).catch(() => {});  // the next screen, or "down", says what became of it
}

function press(button) {
  if ("print" in button.dataset) window.print();
  send(button.dataset.language ? { language: button.dataset.language } : { tap: button.dataset.tap });
}

function move(step) {
  const all = buttons();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  all[at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length].focus();
}

main.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) press(button);
});

document.addEventListener("keydown", (event) => {
  const all = buttons();
  if (event.key === "ArrowRight" || event.key === "ArrowDown") move(1);
  else if (event.key === "ArrowLeft" || event.key === "ArrowUp") move(-1);
  else if (event.key >= "1" && event.key <= "9" && all[event.key - 1]) press(all[event.key - 1]);
  else if ((event.key === " " || event.key === "Enter") && scanned >= 0) press(all[scanned]);
  else return;
  event.preventDefault();
});

// One switch: with "?scan" each button is marked in turn, and the switch (space or enter) presses the marked one.
function scan() {
  const all = buttons();
  all.forEach((button) => button.classList.remove("scanned"));
  if (!all.length) return;
  scanned = (scanned + 1) % all.length;
  all[scanned].classList.add("scanned");
}
if (new URLSearchParams(location.search).has("scan")) setInterval(scan, SCAN_MS);

const events = new EventSource("/events");
events.onmessage = (event) => {
  down.hidden = true;
  show(JSON.parse(event.data));
};
events.onerror = () => { down.hidden = false; };
