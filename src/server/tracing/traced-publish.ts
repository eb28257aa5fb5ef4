import { BrokerError, type Published, type PublishListener } from '../../broker/index.ts';

/** What became of a publish: where the message is, or why there is none. */
export interface PublishEnd {
  readonly partition?: number;
  /** Of a message that is stored; absent for one that is delayed, or was refused. */
  readonly offset?: number;
  readonly error?: string;
}

/** A listener that is told in place of another one, passes everything on, and notes the end. */
export class TracedPublish<T> implements PublishListener<T> {
  readonly #listener: PublishListener<T>;
  readonly #ended: (end: PublishEnd) => void;
  // A listener without one of these two is told otherwise, so there is none here either.
  readonly delayed?: (token: T, partition: number, id: number) => void;
  readonly unique?: (token: T, published: Published) => void;

  constructor(listener: PublishListener<T>, ended: (end: PublishEnd) => void) {
    this.#listener = listener;
    this.#ended = ended;
    if (listener.delayed)
      this.delayed = (token, partition, id) => {
        ended({ partition });
        listener.delayed?.(token, partition, id);
      };
    if (listener.unique)
      this.unique = (token, published) => {
        const { partition, offset, outcome } = published;
        ended(outcome === 'ignored' || offset < 0 ? { partition } : { partition, offset });
        listener.unique?.(token, published);
      };
  }

  published(token: T, partition: number, offset: number, duplicate: boolean): void {
    this.#ended(duplicate || offset < 0 ? { partition } : { partition, offset });
    this.#listener.published(token, partition, offset, duplicate);
  }

  refused(token: T, error: Error): void {
    this.#ended({ error: error instanceof BrokerError ? error.code : error.name });
    this.#listener.refused(token, error);
  }
}
