import { connect, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { startServer, type ServerKind } from '../../support/index.ts';
import { steps, type PullStep, type Step } from './api-table.ts';

const answerMs = 10_000;

/** Times, sizes on disk and names of the server, which differ between any two servers. */
const ownToEach = new Set([
  'created',
  'ts',
  'time',
  'first_ts',
  'last_ts',
  'last_active',
  'pause_remaining',
  'bytes',
  'memory',
  'storage',
  '_nats.ver',
  '_nats.level',
  'level',
  'leader',
]);

/** The answers of a server of that kind to all steps, in order. */
export async function play(kind: ServerKind): Promise<unknown[]> {
  await using server = await startServer({ kind });
  const nc = await connect({ servers: server.natsAddress });
  try {
    const answers: unknown[] = [];
    for (const step of steps) answers.push(await take(nc, step).catch((error: unknown) => String(error)));
    return answers;
  } finally {
    await nc.close();
  }
}

async function take(nc: NatsConnection, step: Step): Promise<unknown> {
  if ('pull' in step) return pullOf(nc, step);
  const subject = 'ask' in step ? `$JS.API.${step.ask}` : step.publish;
  const payload =
    'ask' in step ? (step.raw ?? (step.body ? JSON.stringify(step.body) : '')) : (step.text ?? '');
  const made = headers();
  for (const [name, value] of Object.entries(step.headers ?? {})) made.set(name, value);
  const answer = await nc.request(subject, payload, {
    timeout: answerMs,
    ...(step.headers && { headers: made }),
  });
  return comparable(JSON.parse(answer.string()));
}

async function pullOf(nc: NatsConnection, { pull, body, count, ack }: PullStep): Promise<unknown> {
  const inbox = `_INBOX.${pull}.${Math.random()}`;
  const subscription = nc.subscribe(inbox);
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${pull}`, payload, { reply: inbox });
  const timer = setTimeout(() => subscription.unsubscribe(), answerMs);
  const came: unknown[] = [];
  let messages = 0;
  for await (const message of subscription) {
    const isStatus = message.reply === undefined || message.reply === '';
    if (isStatus) {
      came.push(
        `${message.headers?.code} ${message.headers?.description} ${[...(message.headers ?? [])].join(' ')}`,
      );
      break;
    }
    came.push([message.subject, ackOf(message), message.string()]);
    if (ack !== undefined) came.push(await acked(nc, message, ack));
    if (++messages === count) break;
  }
  clearTimeout(timer);
  return came;
}

async function acked(nc: NatsConnection, message: Msg, ack: string): Promise<string> {
  return nc.request(message.reply!, ack, { timeout: answerMs }).then(
    (answer) => `acked: ${answer.string()}`,
    (error: unknown) => `not acked: ${(error as Error).message.split(':')[0]}`,
  );
}

/** The numbers of an ack subject, without its time. */
function ackOf(message: Msg): string {
  const tokens = message.reply!.split('.');
  return [...tokens.slice(0, 7), tokens[8]].join('.');
}

/**
 * The answer without values that differ between servers; descriptions of JSON errors come from two different
 * decoders.
 */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name]) => !ownToEach.has(name));
  const kept = Object.fromEntries(members.map(([name, member]) => [name, comparable(member)]));
  if (kept['err_code'] === 10025) delete kept['description'];
  return kept;
}
