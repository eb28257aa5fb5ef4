import type { Record } from '../../broker/index.ts';
import type { Random } from '../../util/index.ts';
import type { Channel } from './channel.ts';
import { AmqpError } from './errors.ts';
import { writeDelivery } from './delivery-writer.ts';

/** The name that requesters consume from and give as `reply-to`. There is no such queue. */
export const replyQueue = 'amq.rabbitmq.reply-to';
const addressPrefix = `${replyQueue}.`;
/** 128 bits, so that an address cannot be guessed. */
const tokenBytes = 16;

/** Whether a name is the pseudo queue of replies, or an address of a requester. */
export function isReplyName(name: string): boolean {
  return name === replyQueue || isReplyAddress(name);
}

/** Whether a routing key of the default exchange is the address of a requester. */
export function isReplyAddress(routingKey: string): boolean {
  return routingKey.startsWith(addressPrefix);
}

/**
 * A reply consumer is the requester on a channel: replies to its address are delivered to it, and not stored.
 */
export interface ReplyConsumer {
  readonly channel: Channel;
  readonly tag: string;
  readonly tagBytes: Buffer;
  /** The `reply-to` of its requests: {@link replyQueue} with a token. */
  readonly address: string;
}

/**
 * Direct replies go from a responder straight to the connection of the requester. They are delivered at most
 * once: a reply is dropped if its requester is gone, or reads so slowly that its output is overfull.
 */
export class DirectReplies {
  readonly #random: Random;
  readonly #byAddress = new Map<string, ReplyConsumer>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Makes a channel a requester. Throws PRECONDITION_FAILED if it is one already. */
  open(channel: Channel, tag: string): ReplyConsumer {
    if (channel.replies) throw new AmqpError('PRECONDITION_FAILED', 'reply consumer already set');
    const token = Buffer.from(this.#random.bytes(tokenBytes)).toString('base64url');
    const consumer = { channel, tag, tagBytes: Buffer.from(tag, 'utf8'), address: addressPrefix + token };
    this.#byAddress.set(consumer.address, consumer);
    return consumer;
  }

  close({ address }: ReplyConsumer): void {
    this.#byAddress.delete(address);
  }

  /** Whether replies to this name can arrive. */
  has(name: string): boolean {
    return name === replyQueue || this.#byAddress.has(name);
  }

  /** Delivers a reply, if its requester is there. */
  deliver(address: string, record: Record): void {
    const consumer = this.#byAddress.get(address);
    if (!consumer) return;
    const { session, number, unacked } = consumer.channel;
    if (session.output.overfull) return;
    writeDelivery(
      session.output,
      { kind: 'deliver', consumerTag: consumer.tagBytes },
      {
        channel: number,
        deliveryTag: unacked.nextTag(),
        deliveries: 1,
        attempt: 1,
        showsCounts: false,
        record,
        queue: Buffer.from(address, 'utf8'),
        isDurable: false,
        showsOffset: false,
        broker: session.host.broker,
        names: session.names,
      },
      session.frameBytesMax,
    );
  }
}
