// Owns the page's files on the phone: each is taken only as it was built, by its hash, and served without a network.
// Knows no list and no token: those are the page's own.
"use strict";

const VERSION = "BUILD";
const FILES = {};

self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(take()));
self.addEventListener("fetch", (event) => {
  const path = new URL(event.request.url).href.slice(self.registration.scope.length).split(/[?#]/)[0] || "index.html";
  if (event.request.method === "GET" && event.request.url.startsWith(self.registration.scope) && path in FILES) {
    event.respondWith(held(path));
  }
});

async function fill() {
  const cache = await caches.open(VERSION);
  await Promise.all(Object.entries(FILES).map(async ([path, integrity]) => {
    const answer = await fetch(new Request(path, { integrity, cache: "no-cache", credentials: "omit" }));
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    await cache.put(path, answer);
  }));
  await self.skipWaiting();
}

async function take() {
  for (const name of await caches.keys()) if (name !== VERSION) await caches.delete(name);
  await self.clients.claim();
}

async function held(path) {
  return await (await caches.open(VERSION)).match(path) ?? Response.error();
}
