// The demonstration's panel: hands for the tokens. The kiosk's page does not know of it.
"use strict";

const box = document.getElementById("tokens");
const cards = new Map();

function act(token, what) {
  fetch("/do", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Emask": "1" },
    body: JSON.stringify({ token, do: what }),
  });
}

function button(card, label, name) {
  const made = document.createElement("button");
  made.textContent = label;
  made.dataset.do = name;
  card.append(made);
  return made;
}

function card(name) {
  const made = document.createElement("div");
  made.className = "token";
  made.dataset.token = name;
  made.innerHTML = '<h3></h3><p class="parts"><span data-part="led">light</span> <span data-part="motor">vibration</span> <span data-part="buzzer">buzzer</span></p>';
  made.querySelector("h3").textContent = name;
  const press = button(made, "button", "press");
  press.addEventListener("pointerdown", (event) => {
    press.setPointerCapture(event.pointerId);
    act(name, "down");
  });
  for (const end of ["pointerup", "pointercancel"]) press.addEventListener(end, () => act(name, "up"));
  press.addEventListener("keydown", (event) => { if (event.key === " " && !event.repeat) act(name, "down"); });
  press.addEventListener("keyup", (event) => { if (event.key === " ") act(name, "up"); });
  const tray = button(made, "", "tray");
  tray.addEventListener("click", () => act(name, tray.dataset.next));
  const battery = button(made, "", "battery");
  battery.addEventListener("click", () => act(name, battery.dataset.next));
  box.append(made);
  return made;
}

new EventSource("/events").onmessage = (event) => {
  for (const token of JSON.parse(event.data)) {
    if (!cards.has(token.name)) cards.set(token.name, card(token.name));
    const made = cards.get(token.name);
    for (const part of made.querySelectorAll("[data-part]")) part.classList.toggle("on", token[part.dataset.part]);
    const tray = made.querySelector("[data-do=tray]");
    tray.textContent = token.tray ? "take it off the tray" : "lay it on the tray";
    tray.dataset.next = token.tray ? "away" : "tray";
    const battery = made.querySelector("[data-do=battery]");
    battery.textContent = token.battery ? "pull its battery" : "put its battery in";
    battery.dataset.next = token.battery ? "battery_out" : "battery_in";
  }
};
