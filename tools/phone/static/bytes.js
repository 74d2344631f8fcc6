// Owns the handling of bytes: joining, comparing, text forms, little-endian fields. Knows no layout of its own.

export function join(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function same(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

export function ascii(text) {
  return new TextEncoder().encode(text);
}

export function hex(data) {
  return [...data].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function unhex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

// Fields as [bytes, value], each little endian and unsigned.
export function pack(...fields) {
  return join(...fields.map(([size, value]) => Uint8Array.from({ length: size }, (_, at) => Math.floor(value / 2 ** (8 * at)) & 255)));
}

// The values of unsigned little-endian fields of these sizes, from `at` on. RangeError if the data is too short.
export function unpack(data, sizes, at = 0) {
  return sizes.map((size) => {
    if (at + size > data.length) throw new RangeError("the data is too short");
    let value = 0;
    for (let byte = size - 1; byte >= 0; byte--) value = value * 256 + data[at + byte];
    at += size;
    return value;
  });
}
