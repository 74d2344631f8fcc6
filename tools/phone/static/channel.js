// Owns the exchange of whole messages with a token over Web Bluetooth. Knows frames, not what messages mean.
//
// The token's frames come as notifications; where there are none, they are read, and asked for again by their number.
import { pack } from "./bytes.js";
import { FrameError, isFrame, Joiner, split } from "./frames.js";
import { FRAME_SHOW, REFUSED } from "./spec.js";

// A browser does not tell the MTU. Written with an answer, a longer frame arrives whole all the same.
const ROOM = 244;
export const PIECE_BYTES = ROOM - 2 - 3 - 4;  // of a list, that fill one frame
const LONGEST_MESSAGE = 1024;
const WAITING = 16;
const POLL_MS = 60;

export class VisitError extends Error {}
export class TokenSilent extends VisitError {}

export class Channel {
  #rx;
  #tx;
  #wait_ms;
  #joiner = new Joiner(LONGEST_MESSAGE);
  #sequence = 0;
  #notified = null;  // messages that came by themselves; null: their frames are read
  #woken = () => {};
  #turn = Promise.resolve();
  #broken = null;

  // rx, tx: characteristics of the token's service.
  constructor(rx, tx, wait_ms) {
    [this.#rx, this.#tx, this.#wait_ms] = [rx, tx, wait_ms];
  }

  async open() {
    this.#tx.addEventListener("characteristicvaluechanged", (event) => this.#came(event.target.value));
    this.#notified = [];
    try {
      await this.#inTurn(() => this.#tx.startNotifications());
    } catch (error) {
      if (error.cause?.name !== "NotSupportedError") throw error;
      this.#notified = null;
    }
  }

  // The link is gone, or nobody wants it any more: whoever waits is told.
  lose(why = new TokenSilent("the connection broke")) {
    this.#broken ??= why;
    this.#woken();
  }

  async ask(kind, body, answers, wait_ms = this.#wait_ms) {
    await this.send(kind, body);
    return this.receive(answers, wait_ms);
  }

  async send(kind, body) {
    for (const frame of split(kind, body, ROOM, this.#sequence)) {
      await this.#inTurn(() => this.#rx.writeValueWithResponse(frame));
      this.#sequence = (this.#sequence + 1) & 255;
    }
  }

  // The next message of one of these kinds, or REFUSED; others before it are passed over.
  async receive(kinds, wait_ms = this.#wait_ms) {
    const until = performance.now() + wait_ms;
    for (;;) {
      const message = this.#notified ? await this.#next(until) : this.#joined(await this.#read(until));
      if (message && [...kinds, REFUSED].includes(message.kind)) return message;
    }
  }

  // A frame that asks for nothing: the token's wait begins anew, while a person reads.
  async nudge() {
    await this.#show(this.#joiner.next);
  }

  // -- frames

  #joined(frame) {
    try {
      return this.#joiner.feed(frame);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      throw new VisitError(`a frame of the token does not fit: ${error.message}`);
    }
  }

  #came(value) {
    if (!this.#notified || this.#broken) return;  // a value that was read
    try {
      const message = this.#joined(bytesOf(value));
      if (message) this.#notified.push(message);
      if (this.#notified.length > WAITING) throw new VisitError("the token sends more than it is asked for");
    } catch (error) {
      this.#broken = error;
    }
    this.#woken();
  }

  async #next(until) {
    for (;;) {
      if (this.#broken) throw this.#broken;
      if (this.#notified.length) return this.#notified.shift();
      const left = until - performance.now();
      if (left <= 0) throw new TokenSilent("the token did not answer");
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#woken = () => { clearTimeout(timer); resolve(); };
      });
    }
  }

  async #read(until) {
    for (;;) {
      if (this.#broken) throw this.#broken;
      const frame = bytesOf(await this.#inTurn(() => this.#tx.readValue()));
      const ahead = (frame[0] - this.#joiner.next) & 255;
      if (frame.length && (ahead === 0 || !isFrame(frame))) return frame;
      if (performance.now() > until) throw new TokenSilent("the token did not answer");
      if (this.#joiner.amid || frame.length && ahead < 128) await this.#show(this.#joiner.next);
      else await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  #show(number) {
    return this.#inTurn(() => this.#rx.writeValueWithResponse(pack([1, number], [1, FRAME_SHOW])));
  }

  // One operation at a time: a browser takes no second one. VisitError.
  #inTurn(operation) {
    const done = this.#turn.then(() => {
      if (this.#broken) throw this.#broken;
      return limited(operation(), this.#wait_ms);
    });
    this.#turn = done.catch(() => {});
    return done.catch((error) => {
      throw error instanceof VisitError ? error : new TokenSilent("the link does not carry", { cause: error });
    });
  }
}

function bytesOf(view) {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
}

async function limited(promise, wait_ms) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new TokenSilent("the link did not answer")), wait_ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
