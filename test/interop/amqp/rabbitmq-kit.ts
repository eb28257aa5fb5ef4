/**
 * The same requests to us and to RabbitMQ, whose answers are compared. RABBITMQ_PORT is the port of one on
 * loopback, with its guest user; it may be used for nothing else, because queues stay behind. `.ci/rabbitmq`
 * starts one.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { methods, type FieldValue } from '../../../src/wire/amqp/index.ts';
import { Peer } from '../../protocols/amqp/amqp-kit.ts';
import { useServer } from '../../support/index.ts';

const rabbitPort = Number(process.env['RABBITMQ_PORT'] ?? 0);
const skip = rabbitPort === 0 ? 'RABBITMQ_PORT is not set' : false;
/** For a peer that answers nothing. */
const answerMs = 1_000;

/** Asks a broker and returns its answer. */
export type Act = (peer: Peer, other: Peer, port: number) => Promise<string>;

export const table = (...entries: [string, FieldValue][]): ReadonlyMap<string, FieldValue> =>
  new Map(entries);

/** Sends a method and returns what comes back. */
export function ask(send: (peer: Peer) => void): Act {
  return (peer) => {
    send(peer);
    return peer.next();
  };
}

/** A test for each case: both brokers give the same answer. */
export function compareWithRabbit(title: string, cases: { readonly [what: string]: Act }): void {
  describe(title, { skip }, () => {
    const server = useServer();
    for (const [what, act] of Object.entries(cases))
      test(what, async () => {
        assert.equal(await answerOf(server().amqpPort, act), await answerOf(rabbitPort, act));
      });
  });
}

async function answerOf(port: number, act: Act): Promise<string> {
  const open = async (): Promise<Peer> => {
    const peer = await Peer.connect(port);
    await peer.handshake();
    peer.send(methods.channel.open, { reserved1: '' });
    await peer.expect('1 channel.open-ok');
    return peer;
  };
  using peer = await open();
  using other = await open();
  const nothing = new Promise<string>((resolve) => setTimeout(resolve, answerMs, 'nothing').unref());
  // Awaited here, because the peers end with this function.
  return await Promise.race([act(peer, other, port), nothing]);
}
