import { LiveMessage, recordOf, type PublishListener, type Router } from '../../../broker/index.ts';
import { natsHeaders } from './headers.ts';

/** Ignores the result of publishing an advisory. */
const nobody: PublishListener<undefined> = { published: () => {}, refused: () => {} };

/**
 * The outlet sends all messages of JetStream that are not deliveries: API answers, statuses, advisories. They
 * are rare enough to be made as texts.
 */
export class Outlet {
  readonly #router: Router;

  constructor(router: Router) {
    this.#router = router;
  }

  /** An API answer or a refused publish. */
  json(subject: string, body: object): void {
    this.#send(subject, undefined, undefined, Buffer.from(JSON.stringify(body)));
  }

  /** A message without payload whose header block is a status. */
  status(subject: string, block: Buffer, reply?: string): void {
    this.#send(subject, reply, block, noBytes);
  }

  /** A message without headers or payload: the answer to an ack. */
  empty(subject: string): void {
    this.#send(subject, undefined, undefined, noBytes);
  }

  /**
   * Publishes an event, to its subscribers and into the stream that captures its subject. `body` is called
   * only if the subject has a subscriber or a stream.
   */
  advisory(subject: string, body: () => object): void {
    const route = this.#router.matchSubject(subject);
    if (!route.hasSubscribers && route.topic === undefined) return;
    const value = Buffer.from(JSON.stringify(body()));
    if (route.hasSubscribers) this.#send(subject, undefined, undefined, value);
    route.topic?.publish(recordOf({ key: subject, value }), undefined, nobody, undefined);
  }

  #send(subject: string, reply: string | undefined, block: Buffer | undefined, value: Buffer): void {
    const message = new LiveMessage();
    const subjectBytes = Buffer.from(subject);
    message.setSubject(subjectBytes, 0, subjectBytes.length);
    if (reply !== undefined) {
      const replyBytes = Buffer.from(reply);
      message.setReply(replyBytes, 0, replyBytes.length);
    }
    if (block) message.setHeaderBlock(natsHeaders, block, 0, block.length);
    message.setValue(value, 0, value.length);
    this.#router.publish(message);
  }
}

const noBytes = Buffer.alloc(0);
