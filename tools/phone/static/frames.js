// Owns the cutting of messages into numbered frames and their joining (SPEC 4.1). Knows no message and no radio.
import { join, pack } from "./bytes.js";
import { FRAME_FIRST, FRAME_LAST } from "./spec.js";

const HEAD = 2;
const LEAD = 3;

export class FrameError extends Error {}

export function isFrame(data) {
  return data.length > HEAD && data[1] <= (FRAME_FIRST | FRAME_LAST);
}

// The frames, of at most `room` bytes each, of one message, numbered from `sequence` on.
export function split(kind, body, room, sequence) {
  const data = join(pack([1, kind], [2, body.length]), body);
  const frames = [];
  for (let at = 0; at < data.length; at += room - HEAD) {
    const flags = (at ? 0 : FRAME_FIRST) | (at + room - HEAD >= data.length ? FRAME_LAST : 0);
    frames.push(join(Uint8Array.of(sequence++ & 255, flags), data.subarray(at, at + room - HEAD)));
  }
  return frames;
}

// Joins frames to messages of at most `most` bytes. feed() gives {kind, body} when one is whole, else null; FrameError.
export class Joiner {
  #next = 0;
  #have = [];
  #want = 0;
  #most;

  constructor(most) {
    this.#most = most;
  }

  get next() {
    return this.#next;
  }

  get amid() {
    return Boolean(this.#want);
  }

  feed(frame) {
    const [number, flags] = frame;
    if (!isFrame(frame)) throw new FrameError("no frame");
    if (number !== this.#next) throw new FrameError("out of sequence");
    if (Boolean(flags & FRAME_FIRST) === Boolean(this.#want)) throw new FrameError("not the one expected");
    if (flags & FRAME_FIRST) this.#begin(frame);
    this.#have.push(frame.slice(HEAD));
    this.#next = (number + 1) & 255;
    const length = this.#have.reduce((sum, part) => sum + part.length, 0);
    if (length > this.#want) throw new FrameError("runs past its message");
    return flags & FRAME_LAST ? this.#finish(length) : null;
  }

  #begin(frame) {
    if (frame.length < HEAD + LEAD) throw new FrameError("too short");
    this.#want = LEAD + frame[3] + 256 * frame[4];
    this.#have = [];
    if (this.#want > LEAD + this.#most) throw new FrameError("too long");
  }

  #finish(length) {
    if (length !== this.#want) throw new FrameError("cut short");
    const data = join(...this.#have);
    this.#want = 0;
    return { kind: data[0], body: data.slice(LEAD) };
  }
}
