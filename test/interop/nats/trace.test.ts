/** Message traces: `Nats-Trace-Dest` tells where a message went, or would have gone. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { parallel, uniqueName } from '../../support/index.ts';
import { useNats } from './clients.ts';

interface Trace {
  readonly server: { readonly name: string };
  readonly request: { readonly header: Record<string, string[]>; readonly msgsize: number };
  readonly events: readonly Record<string, unknown>[];
}

/** Publishes with a trace header, and returns the trace. */
async function traced(
  nc: NatsConnection,
  subject: string,
  further: Record<string, string> = {},
): Promise<Trace> {
  const destination = uniqueName('trace');
  const subscription = nc.subscribe(destination, { max: 1 });
  const made = headers();
  made.set('Nats-Trace-Dest', destination);
  for (const [name, value] of Object.entries(further)) made.set(name, value);
  nc.publish(subject, 'payload', { headers: made });
  for await (const message of subscription) return message.json<Trace>();
  throw new Error('no trace came');
}

/** Events without times and connection ids. */
const plain = ({ events }: Trace): unknown[] =>
  events.map((event) =>
    Object.fromEntries(Object.entries(event).filter(([name]) => name !== 'ts' && name !== 'cid')),
  );

describe('message traces', parallel, () => {
  const { nc, api, addStream, connect } = useNats();

  test('to subscribers, whole and only', async () => {
    await using client = await connect({ name: 'listener' });
    const root = uniqueName('traced');
    const subject = `${root}.a`;
    const heard: string[] = [];
    client.subscribe(subject, { callback: () => void heard.push('plain') });
    client.subscribe(`${root}.b`, { callback: () => void heard.push('other') });
    client.subscribe(`${root}.>`, { queue: 'q', callback: () => void heard.push('queue') });
    await client.flush();
    const kinds = { kind: 0, name: 'listener' };
    const expected = [
      { type: 'in', kind: 0, acc: '$G', subj: subject },
      { type: 'eg', ...kinds, sub: subject },
      { type: 'eg', ...kinds, sub: `${root}.>`, queue: 'q' },
    ];
    const only = await traced(nc(), subject, { 'Nats-Trace-Only': 'true' });
    assert.deepEqual(plain(only), expected);
    assert.deepEqual(heard, []);
    const whole = await traced(nc(), subject);
    assert.deepEqual(plain(whole), expected);
    assert.deepEqual(Object.keys(whole.request.header), ['Nats-Trace-Dest']);
    await client.flush();
    assert.deepEqual(new Set(heard), new Set(['plain', 'queue']));
    assert.equal(heard.length, 2);
  });

  test('to no subscriber', async () => {
    const subject = uniqueName('nobody');
    assert.deepEqual(plain(await traced(nc(), subject)), [{ type: 'in', kind: 0, acc: '$G', subj: subject }]);
  });

  test('to a stream, that takes it, would take it, or refuses it', async () => {
    const { name } = await addStream();
    const subject = `${name}.a`;
    const inbound = { type: 'in', kind: 0, acc: '$G', subj: subject };
    const taken = [inbound, { type: 'js', stream: name, subject }];
    assert.deepEqual(plain(await traced(nc(), subject, { 'Nats-Trace-Only': '1' })), taken);
    assert.deepEqual(plain(await traced(nc(), subject)), taken);
    const refused = await traced(nc(), subject, { 'Nats-Expected-Stream': 'other' });
    assert.deepEqual(plain(refused), [
      inbound,
      { type: 'js', stream: name, error: 'expected stream does not match' },
    ]);
    const { state } = (await api(`STREAM.INFO.${name}`)) as unknown as { state: { messages: number } };
    assert.equal(state.messages, 1);
  });

  test('a subject that is none is told nothing; with trace only nothing else happens', async () => {
    const subject = uniqueName('traced');
    let heard = 0;
    nc().subscribe(subject, { callback: () => void heard++ });
    for (const only of ['false', 'true']) {
      const made = headers();
      made.set('Nats-Trace-Dest', 'not.*');
      made.set('Nats-Trace-Only', only);
      nc().publish(subject, '', { headers: made });
    }
    await nc().flush();
    assert.equal(heard, 1);
  });
});
