import type { Socket } from 'node:net';
import type { Broker } from '../../broker/index.ts';
import { FrameParser } from '../../wire/amqp/index.ts';
import { Gate, type Turns } from '../connections/index.ts';
import { amqpError, type AmqpError } from './errors.ts';
import type { Frames } from './frames.ts';

/** Input is parsed in pieces of this size; the turn's time is checked between two of them. */
const pieceBytes = 64 * 1024;

const noBytes = Buffer.alloc(0);

/** The connection whose input it is. */
export interface InputOwner {
  readonly closed: boolean;
  fail(error: AmqpError): void;
}

/**
 * The input of a connection goes through the parser to its frames while nothing holds it back. What has to
 * wait, for the next turn or for the answer to a method before it, is kept.
 */
export class Input {
  /** Bytes received. */
  bytes = 0;
  readonly #owner: InputOwner;
  readonly #frames: Frames;
  readonly #parser: FrameParser;
  readonly #gate: Gate;
  #rest: Buffer = noBytes;
  #isCongested = false;

  constructor(owner: InputOwner, frames: Frames, turns: Turns, frameBytesMax: number) {
    this.#owner = owner;
    this.#frames = frames;
    this.#parser = new FrameParser(frames, frameBytesMax);
    this.#gate = new Gate(turns, () => this.#receiveRest());
  }

  /** Sets the socket that is paused while input has to wait. */
  of(socket: Socket): void {
    this.#gate.of(socket);
  }

  /** Sets the negotiated largest frame. */
  set frameBytesMax(bytes: number) {
    this.#parser.frameBytesMax = bytes;
  }

  /** Whether input has to wait: for a method before it, or because the server is about to stop. */
  get isWaiting(): boolean {
    return this.#gate.has('held');
  }

  /** Whether the socket is not read. */
  get isShut(): boolean {
    return this.#gate.isShut;
  }

  receive(chunk: Buffer): void {
    if (this.#owner.closed) return;
    this.bytes += chunk.length;
    if (this.isWaiting || this.#rest.length > 0) return this.#keepRest(chunk);
    const taken = chunk.length >= pieceBytes ? this.#parseDuringTurn(chunk) : this.#parse(chunk);
    if (taken < chunk.length) this.#keepRest(chunk.subarray(taken));
  }

  /** Looks at no further input until the promise is settled. */
  waitFor(promise: Promise<void>): void {
    this.hold();
    promise
      .finally(() => {
        if (this.#owner.closed) return;
        this.#gate.open('held');
        if (!this.#gate.has('turn')) this.#receiveRest();
      })
      .catch((error: unknown) => this.#owner.fail(amqpError(error)));
  }

  /** Reads no further input. */
  hold(): void {
    this.#parser.pause();
    this.#gate.shut('held');
  }

  /** Stops reading while too much waits for the disk. */
  holdBack(broker: Broker): void {
    if (this.#isCongested) return;
    this.#isCongested = true;
    this.#gate.shut('congested');
    broker.onUncongested(() => {
      this.#isCongested = false;
      this.#gate.open('congested');
    });
  }

  /** The connection ends: further input is dropped. */
  end(): void {
    this.#gate.leave();
    this.#parser.pause();
  }

  #parse(chunk: Buffer): number {
    const owner = this.#owner;
    if (owner.closed) return chunk.length;
    let taken = chunk.length;
    try {
      taken = this.#parser.parse(chunk);
    } catch (error) {
      owner.fail(amqpError(error));
    }
    this.#frames.chunkEnded();
    return owner.closed ? chunk.length : taken;
  }

  /** All connections share the buffer that was read into, so the rest is copied. */
  #keepRest(bytes: Buffer): void {
    if (!this.#owner.closed) this.#rest = Buffer.concat([this.#rest, bytes]);
  }

  /** Continues with the input that was left earlier. */
  #receiveRest(): void {
    if (this.isWaiting || this.#owner.closed) return;
    this.#parser.resume();
    const rest = this.#rest;
    this.#rest = noBytes;
    const taken = this.#parseDuringTurn(rest);
    this.#rest = this.#owner.closed ? noBytes : rest.subarray(taken);
  }

  /** Parses while the turn lasts; returns the number of bytes parsed. */
  #parseDuringTurn(bytes: Buffer): number {
    let taken = 0;
    while (taken < bytes.length && !this.#owner.closed && !this.isWaiting && this.#gate.hasTime())
      taken += this.#parse(bytes.subarray(taken, taken + pieceBytes));
    return taken;
  }
}
