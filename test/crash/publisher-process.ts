import { JetStreamApiError, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectPatiently } from './connection.ts';
import { EventWriter } from './event-log.ts';
import { hashOf, payloadOf } from './payload.ts';

// A publisher process: `publisher-process.js PORT LOG NAME RATE STREAM...`. It publishes RATE messages a
// second, in turn to the streams and to a few subjects of each, with an id each. Messages without an answer
// when the connection breaks are published again, in the same order and with the same ids. A message that is
// refused is given up. The message 'rest' ends it when all is answered.

const [portText = '', logPath = '', name = '', rateText = '', ...streams] = process.argv.slice(2);
const port = Number(portText);
const perMs = Number(rateText) / 1000;
const log = new EventWriter(logPath);

const windowMax = 64;
const subjectsPerStream = 3;
const answerTimeoutMs = 10_000;
const turnMs = 2;

interface Outgoing {
  readonly stream: string;
  readonly id: string;
  readonly subject: string;
  readonly payload: Buffer;
}

/** Not answered yet, oldest first. */
const open = new Map<string, Outgoing>();
let lastNumber = 0;
const state = { isResting: false, hasToldOfLoad: false };
process.on('message', () => (state.isResting = true));
// Without the supervisor there is no work left.
process.once('disconnect', () => process.exit(1));

function next(): Outgoing {
  const number = ++lastNumber;
  const stream = streams[number % streams.length]!;
  const id = `${name}-${number}`;
  const subject = `${stream}.${name}.${Math.floor(number / streams.length) % subjectsPerStream}`;
  const payload = payloadOf(id);
  log.write({ kind: 'intent', stream, id, subject, hash: hashOf(payload) });
  return { stream, id, subject, payload };
}

/** Publishes until the connection breaks or everything is done. */
async function work(nc: NatsConnection): Promise<void> {
  const js = jetstream(nc, { timeout: answerTimeoutMs });
  const send = (message: Outgoing): void => {
    open.set(message.id, message);
    js.publish(message.subject, message.payload, { msgID: message.id, retries: 0 }).then(
      ({ seq }) => {
        open.delete(message.id);
        log.write({ kind: 'stored', stream: message.stream, id: message.id, seq });
        if (!state.hasToldOfLoad) process.send?.({ kind: 'load' });
        state.hasToldOfLoad = true;
      },
      (error: unknown) => {
        if (error instanceof JetStreamApiError) {
          open.delete(message.id);
          log.write({ kind: 'refused', stream: message.stream, id: message.id });
          process.send?.({ kind: 'refused', text: `${error.code} ${error.message}` });
          return;
        }
        // No answer: whether it is stored is not known. Nothing may overtake it.
        void nc.close();
      },
    );
  };
  for (const message of open.values()) send(message);
  let allowed = 0;
  for (let before = performance.now(); !nc.isClosed();) {
    await sleep(turnMs);
    const now = performance.now();
    allowed = Math.min(allowed + (now - before) * perMs, windowMax);
    before = now;
    if (state.isResting && open.size === 0) return;
    for (; allowed >= 1 && open.size < windowMax && !state.isResting && !nc.isClosed(); allowed--)
      send(next());
  }
}

while (!state.isResting || open.size > 0) {
  const nc = await connectPatiently(port, name);
  state.hasToldOfLoad = false;
  log.write({ kind: 'connected' });
  await work(nc);
  await nc.close().catch(() => {});
}
process.exit(0);
