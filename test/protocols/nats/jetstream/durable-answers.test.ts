import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LiveMessage } from '../../../../src/broker/index.ts';
import { Listener, TestJetStream, type ApiReply, type Seen } from './kit.ts';

/** Notes for every answer how many messages of the stream were on disk when it came. */
class Witness extends Listener {
  readonly durableEnds: number[] = [];
  readonly #durableEnd: () => number;

  constructor(durableEnd: () => number) {
    super();
    this.#durableEnd = durableEnd;
  }

  override receive(message: LiveMessage): boolean {
    this.durableEnds.push(this.#durableEnd());
    return super.receive(message);
  }
}

/** A stream of three messages on disk; then a publish without a wait, and a question at the same moment. */
async function ask(
  path: string,
  body: object,
  publish: (js: TestJetStream) => void = (js) => send(js, 'S.a', 'fourth'),
): Promise<{ readonly seen: readonly Seen[]; readonly durableEnd: number }> {
  await using js = await TestJetStream.open();
  await js.addStream('S', { allow_direct: true });
  await js.addConsumer('S', 'c');
  for (const subject of ['S.a', 'S.b', 'S.a']) await js.publish(subject);
  await js.settle();
  const partition = js.kit.broker.topic('S')!.partitions.at(0)!;
  const witness = new Witness(() => partition.durableEnd);
  witness.subscription = js.kit.broker.router.subscribe('_INBOX.witness', undefined, witness);
  publish(js);
  assert.ok(partition.durableEnd < partition.nextOffset, 'it is not on disk yet');
  if (path !== '')
    js.jetStream.request(
      js.session,
      js.message(`$JS.API.${path}`, { value: JSON.stringify(body), reply: '_INBOX.witness' }),
    );
  for (let round = 0; round < 20 && witness.seen.length === 0; round++) await js.settle();
  return { seen: witness.seen, durableEnd: witness.durableEnds[0]! };
}

function send(
  js: TestJetStream,
  subject: string,
  value: string,
  headers: { [name: string]: string } = {},
  reply: string = '_INBOX.nobody',
): void {
  const topic = js.kit.broker.router.topicOf(subject)!;
  js.jetStream.publish(js.session, js.message(subject, { value, reply, headers }), topic);
}

const replyOf = ([first]: readonly Seen[]): ApiReply => JSON.parse(first!.value) as ApiReply;

describe('the content of an answer is on disk', () => {
  test('STREAM.INFO', async () => {
    const { seen, durableEnd } = await ask('STREAM.INFO.S', { subjects_filter: '>' });
    const { state } = replyOf(seen);
    assert.equal(state.last_seq, durableEnd);
    assert.equal(state.messages, durableEnd);
    assert.deepEqual(state.subjects, { 'S.a': 3, 'S.b': 1 });
  });

  test('STREAM.LIST', async () => {
    const { seen, durableEnd } = await ask('STREAM.LIST', {});
    assert.equal(replyOf(seen).streams[0].state.last_seq, durableEnd);
  });

  test('CONSUMER.INFO', async () => {
    const { seen, durableEnd } = await ask('CONSUMER.INFO.S.c', {});
    assert.equal(replyOf(seen).num_pending, durableEnd);
  });

  test('CONSUMER.LIST', async () => {
    const { seen, durableEnd } = await ask('CONSUMER.LIST.S', {});
    assert.equal(replyOf(seen).consumers[0].num_pending, durableEnd);
  });

  test('STREAM.MSG.GET of the last of a subject', async () => {
    const { seen, durableEnd } = await ask('STREAM.MSG.GET.S', { last_by_subj: 'S.a' });
    assert.equal(replyOf(seen).message.seq, 4);
    assert.equal(durableEnd, 4);
  });

  test('STREAM.MSG.GET of a message published just before', async () => {
    const { seen, durableEnd } = await ask('STREAM.MSG.GET.S', { seq: 4 });
    assert.equal(replyOf(seen).message.seq, 4);
    assert.equal(durableEnd, 4);
  });

  test('DIRECT.GET of the last of a subject', async () => {
    const { seen, durableEnd } = await ask('DIRECT.GET.S', { last_by_subj: 'S.a' });
    assert.ok(Number(seen[0]!.headers['Nats-Sequence']) <= durableEnd);
  });

  test('a batch of DIRECT.GET, and how many wait behind it', async () => {
    const { seen, durableEnd } = await ask('DIRECT.GET.S', { batch: 1, seq: 1 });
    assert.equal(Number(seen[0]!.headers['Nats-Num-Pending']), durableEnd - 1);
  });

  test('the last of each subject, and up to where', async () => {
    const { seen, durableEnd } = await ask('DIRECT.GET.S', { multi_last: ['S.>'] });
    assert.deepEqual(
      seen.map(({ headers }) => headers['Nats-Sequence'] ?? headers['Nats-UpTo-Sequence']),
      ['2', '4', '4'],
    );
    assert.equal(durableEnd, 4);
  });

  test('a refusal that names the last sequence', async () => {
    const { seen, durableEnd } = await ask('', {}, (js) => {
      send(js, 'S.a', 'fourth');
      send(js, 'S.a', 'late', { 'Nats-Expected-Last-Sequence': '3' }, '_INBOX.witness');
    });
    assert.equal(replyOf(seen).error?.description, 'wrong last sequence: 4');
    assert.equal(durableEnd, 4);
  });
});
