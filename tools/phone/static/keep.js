// Owns what the phone keeps in IndexedDB: its key and certificate, lists, codes, uploads, choices. Knows no meaning.

const STORES = ["facts", "lists", "parts", "uploads"];
let opened = null;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open("emask", 1);
    asked.onupgradeneeded = () => STORES.forEach((name) => asked.result.createObjectStore(name));
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opened;
}

// Resolves when the change is on the disk.
async function change(store, what) {
  const transaction = (await database()).transaction(store, "readwrite", { durability: "strict" });
  what(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

async function read(store, what) {
  const asked = what((await database()).transaction(store).objectStore(store));
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

export const get = (store, key) => read(store, (held) => held.get(key));
export const all = (store) => read(store, (held) => held.getAll());
export const names = (store) => read(store, (held) => held.getAllKeys());
export const put = (store, key, value) => change(store, (held) => held.put(value, key));
export const remove = (store, key) => change(store, (held) => held.delete(key));
export const clear = (store) => change(store, (held) => held.clear());
