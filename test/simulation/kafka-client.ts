import type { Socket } from 'node:net';
import {
  FrameSplitter,
  Writer,
  apis,
  readResponse,
  readResponseHeader,
  writeRequest,
  type Api,
  type ApiName,
  type Fields,
  type RequestDraft,
  type ResponseOf,
} from '../../src/wire/kafka/index.ts';
import type { KafkaRun } from './kafka-run.ts';
import { SimulatedSocket } from './simulated-socket.ts';

const frameBytesMax = 1 << 26;
const piecesMax = 3;

/** A request without an answer yet. */
interface Waiting {
  readonly name: ApiName;
  readonly version: number;
  readonly answered: (response: never) => void;
}

/**
 * A Kafka client with one connection to a session of the broker: requests in any version, answers in order.
 * Connection, session and protocol are the real ones; only the wire is simulated. Chance cuts the bytes into
 * pieces, and may let other things happen before the next piece arrives.
 */
export class KafkaClient {
  readonly #run: KafkaRun;
  readonly #socket: SimulatedSocket;
  readonly #splitter = new FrameSplitter(frameBytesMax);
  readonly #waiting: Waiting[] = [];
  /** Pieces that are on their way. */
  #unheard: Buffer[] = [];
  readonly #lost: () => void;
  readonly #lingers: boolean;
  #correlationId = 0;
  #closed = false;

  /**
   * `lost` is called when the connection has ended: requests without an answer will not get one. `lingers`:
   * requests may arrive later than they are made, so they should not use names that may mean other things by
   * then.
   */
  constructor(run: KafkaRun, lost: () => void, lingers: boolean = true) {
    this.#run = run;
    this.#lingers = lingers;
    this.#lost = lost;
    this.#socket = new SimulatedSocket(
      (chunk) => this.#hear(chunk),
      () => this.#ended(),
    );
    run.frontend.accept(this.#socket as unknown as Socket);
    this.call('ApiVersions', 3, { clientSoftwareName: 'simulated', clientSoftwareVersion: '0' }, () => {});
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** `answered` hears the answer, unless the connection or the process ends before. */
  call<N extends ApiName>(
    name: N,
    version: number,
    request: RequestDraft<N>,
    answered: (response: ResponseOf<N>) => void,
  ): void {
    this.#waiting.push({ name, version, answered });
    const writer = new Writer();
    const api = apis[name] as unknown as Api<Fields, Fields>;
    writeRequest(writer, api, version, ++this.#correlationId, 'simulated', request as never);
    const bytes = Buffer.concat(writer.take());
    // Not from within an answer of the server.
    queueMicrotask(() => this.#say(bytes));
  }

  hangUp(): void {
    if (this.#closed) return;
    if (this.#run.random.int(2) === 0) this.#socket.destroy();
    else this.#socket.hangUp();
    this.#ended();
  }

  #say(bytes: Buffer): void {
    if (this.#closed) return;
    const { random, clock } = this.#run;
    let rest = bytes;
    for (let pieces = random.int(piecesMax); pieces >= 0 && rest.length > 0; pieces--) {
      const piece = rest.subarray(0, pieces === 0 ? rest.length : 1 + random.int(rest.length));
      rest = rest.subarray(piece.length);
      if (!this.#lingers || (this.#unheard.length === 0 && random.int(4) > 0)) this.#socket.say(piece);
      else {
        this.#unheard.push(piece);
        clock.defer(() => this.#arrive());
      }
    }
  }

  #arrive(): void {
    const piece = this.#unheard.shift();
    if (piece && !this.#closed) this.#socket.say(piece);
  }

  #hear(chunk: Buffer): void {
    if (this.#run.isOver || this.#closed) return;
    this.#splitter.push(chunk);
    for (let frame = this.#splitter.next(); frame && !this.#closed; frame = this.#splitter.next()) {
      const response = readResponseHeader(frame);
      const { name, version, answered } = this.#waiting.shift()!;
      const api = apis[name] as unknown as Api<Fields, Fields>;
      answered(readResponse(response, api, version) as never);
    }
  }

  #ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting.length = 0;
    this.#unheard = [];
    if (!this.#run.isOver) this.#lost();
  }
}
