import { TestJetStream } from '../../protocols/nats/jetstream/kit.ts';
import type { Target } from '../target.ts';

const paths = [
  'STREAM.CREATE.S',
  'STREAM.UPDATE.S',
  'STREAM.INFO.S',
  'STREAM.PURGE.S',
  'STREAM.MSG.GET.S',
  'STREAM.MSG.DELETE.S',
  'STREAM.LIST',
  'STREAM.NAMES',
  'CONSUMER.CREATE.S',
  'CONSUMER.CREATE.S.d',
  'CONSUMER.DURABLE.CREATE.S.d',
  'CONSUMER.LIST.S',
  'CONSUMER.PAUSE.S.c',
] as const;
const directPath = paths.length;
const pullPath = directPath + 1;
const ackPath = pullPath + 1;
const requestsPerBroker = 500;

/** Bodies of JetStream API requests; the first byte selects the request. Any body is answered. */
export const natsApi: Target = {
  name: 'nats-api',
  words: [
    '{',
    '}',
    '"',
    ':',
    ',',
    'null',
    'true',
    '-1',
    '1e999',
    '[',
    ']',
    '""',
    '"config":{',
    '"name":"S"',
    '"subjects":["s.>"]',
    '"stream_name":"S"',
    '"durable_name":"d"',
    '"filter_subject":"s.a"',
    '"deliver_subject":"x"',
    '"ack_policy":"explicit"',
    '"max_age":1000000000',
    '"retention":"workqueue"',
    '"opt_start_time":"2020-01-01T00:00:00Z"',
    '"backoff":[1,2]',
    '"batch":1',
    '"expires":1',
    '"seq":1',
    '"last_by_subj":"s.a"',
    '"mirror":{',
    '"sources":[',
    '"republish":{',
    '"placement":{',
    '+NXT ',
    '-NAK {"delay":1}',
    '+ACK',
    '+WPI',
    '+TERM x',
  ],
  seeds: () => [
    at(
      0,
      '{"name":"S","subjects":["s.>"],"retention":"limits","max_msgs":10,"max_age":1000000000,"duplicate_window":1000,"metadata":{"a":"b"}}',
    ),
    at(1, '{"name":"S","subjects":["s.>"],"max_msgs_per_subject":1,"discard":"new"}'),
    at(3, '{"filter":"s.a","keep":1}'),
    at(4, '{"seq":1,"next_by_subj":"s.>"}'),
    at(5, '{"seq":1,"no_erase":true}'),
    at(6, '{"offset":1,"subject":"s.>"}'),
    at(
      8,
      '{"stream_name":"S","config":{"ack_policy":"none","deliver_policy":"by_start_sequence","opt_start_seq":1}}',
    ),
    at(
      9,
      '{"stream_name":"S","config":{"name":"d","ack_policy":"explicit","filter_subjects":["s.a","s.b"],"backoff":[1,2],"max_deliver":3}}',
    ),
    at(
      10,
      '{"stream_name":"S","config":{"durable_name":"d","ack_policy":"explicit","deliver_subject":"x","idle_heartbeat":1000000000}}',
    ),
    at(12, '{"pause_until":"2030-01-01T00:00:00Z"}'),
    at(directPath, '{"multi_last":["s.>"],"batch":5}'),
    at(pullPath, '{"batch":2,"expires":1000000,"no_wait":true,"max_bytes":100}'),
    at(ackPath, '-NAK {"delay":1000}'),
  ],
  prepare: async () => {
    let js = await withStream();
    let requests = 0;
    return async (input) => {
      if (++requests % requestsPerBroker === 0) {
        await js[Symbol.asyncDispose]();
        js = await withStream();
      }
      const which = (input[0] ?? 0) % (ackPath + 1);
      const body = input.toString('latin1', 1);
      if (which === directPath) await direct(js, body);
      else if (which === pullPath) js.pull('S', 'c', body);
      else if (which === ackPath) await acknowledge(js, body);
      else await js.api(paths[which]!, body);
      if (js.kit.broker.topic('S') === undefined) throw new Error('the stream is gone');
    };
  },
};

async function withStream(): Promise<TestJetStream> {
  const js = await TestJetStream.open();
  await js.addStream('S', { subjects: ['s.>'], allow_direct: true });
  await js.addConsumer('S', 'c');
  for (const subject of ['s.a', 's.b', 's.a']) await js.publish(subject, 'x');
  return js;
}

/** Answered by messages, by a status, or not at all. */
async function direct(js: TestJetStream, body: string): Promise<void> {
  const { subject: reply, listener } = js.inbox();
  js.jetStream.request(js.session, js.message('$JS.API.DIRECT.GET.S', { value: body, reply }));
  await js.kit.settle();
  js.unlisten(listener);
}

async function acknowledge(js: TestJetStream, body: string): Promise<void> {
  const inbox = js.pull('S', 'c', '1');
  await js.kit.settle();
  const [first] = inbox.seen;
  if (first?.reply) js.ack(first, body);
  await js.kit.settle();
}

function at(which: number, body: string): Buffer {
  return Buffer.concat([Buffer.from([which]), Buffer.from(body)]);
}
