import type { Msg, Subscription } from '@nats-io/transport-node';
import type { Timer } from '../../../util/index.ts';
import type { DeliverySink, Puller } from '../../driver.ts';
import { ClientError } from '../../errors.ts';
import type { GroupPlan } from '../../group-settings.ts';
import type { Connection } from './connection.ts';
import { nanosPerMs } from './wire.ts';

/** How long a pull request waits at the server, and how often that shows a sign of life meanwhile. */
const expiresMs = 30_000;
const heartbeatMs = 5_000;
/** After so much silence the requests are taken for lost. */
const silenceMs = 2 * heartbeatMs + 1_000;
/** The wait before a request that was refused is made again. */
const againMs = 250;

const pendingHeader = 'Nats-Pending-Messages';

/**
 * A puller is a consumer of a JetStream consumer: it makes pull requests for the messages that were asked
 * for, and makes them again when they end, are lost with a connection, or go silent. Each life of its
 * requests has a subject of its own, so that what an earlier life asked for cannot come twice.
 */
export class NatsPuller implements Puller {
  readonly #connection: Connection;
  readonly #request: string;
  readonly #plan: GroupPlan;
  readonly #sink: DeliverySink;
  readonly #received: (message: Msg) => void;
  readonly #stopWatching: () => void;
  #subscription: Subscription;
  #inbox: string;
  /** Messages that were asked for and did not come. */
  #wanted = 0;
  /** Of these, those that a request at the server asks for. */
  #requested = 0;
  /** The most that were asked for at a time. */
  #capacity = 0;
  #isOpen = true;
  #again: Timer | undefined;
  #silence: Timer | undefined;
  #heardMs = 0;

  constructor(connection: Connection, plan: GroupPlan, sink: DeliverySink, received: (message: Msg) => void) {
    this.#connection = connection;
    this.#request = `$JS.API.CONSUMER.MSG.NEXT.${plan.topic}.${plan.name}`;
    this.#plan = plan;
    this.#sink = sink;
    this.#received = received;
    this.#inbox = connection.nats.createInbox();
    this.#subscription = this.#subscribe();
    this.#stopWatching = connection.onReconnect(() => this.#renew());
  }

  /** Requests are made for several messages at once, when half of the capacity is free. */
  ask(count: number): void {
    this.#wanted += count;
    this.#capacity = Math.max(this.#capacity, this.#wanted);
    if (this.#requested === 0 || (this.#wanted - this.#requested) * 2 >= this.#capacity) this.#pull();
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stopWatching();
    this.#again?.cancel();
    this.#silence?.cancel();
    this.#subscription.unsubscribe();
  }

  #subscribe(): Subscription {
    return this.#connection.core.subscribe(this.#inbox, {
      callback: (error, message) => {
        if (!error) this.#took(message);
      },
    });
  }

  #pull(): void {
    const batch = this.#wanted - this.#requested;
    if (batch <= 0 || !this.#isOpen || !this.#connection.isUp || this.#again) return;
    this.#requested += batch;
    const body = { batch, expires: expiresMs * nanosPerMs, idle_heartbeat: heartbeatMs * nanosPerMs };
    this.#heard();
    this.#connection.core.publish(this.#request, JSON.stringify(body), { reply: this.#inbox });
  }

  #took(message: Msg): void {
    this.#heard();
    if (message.reply !== undefined && message.reply.startsWith('$JS.ACK.')) {
      this.#wanted = Math.max(0, this.#wanted - 1);
      this.#requested = Math.max(0, this.#requested - 1);
      this.#received(message);
      return;
    }
    const { headers } = message;
    if (headers) this.#heardStatus(headers.code, headers.description, Number(headers.get(pendingHeader)));
  }

  #heardStatus(code: number, description: string, left: number): void {
    if (code === 100) return;
    if (code === 409 && /consumer deleted/i.test(description)) {
      void this.close();
      const { name, topic } = this.#plan;
      return this.#sink.ended(new ClientError('closed', `Group "${name}" of topic "${topic}" was deleted.`));
    }
    this.#requested = Math.max(0, this.#requested - (left > 0 ? left : this.#requested));
    if (code === 404 || code === 408 || (code === 409 && /batch completed|shutdown/i.test(description)))
      return this.#pull();
    const what = `${this.#connection.target} ends a request for messages: ${code} ${description}; trying again.`;
    this.#sink.failed(new ClientError('refused', what));
    this.#again ??= this.#connection.options.clock.setTimer(againMs, () => {
      this.#again = undefined;
      this.#renew();
    });
  }

  /** Drops the requests at the server, and makes them anew. */
  #renew(): void {
    if (!this.#isOpen) return;
    this.#subscription.unsubscribe();
    this.#inbox = this.#connection.nats.createInbox();
    this.#subscription = this.#subscribe();
    this.#requested = 0;
    this.#pull();
  }

  #heard(): void {
    const { clock } = this.#connection.options;
    this.#heardMs = clock.monotonic();
    this.#silence ??= clock.setTimer(silenceMs, () => this.#look());
  }

  #look(): void {
    this.#silence = undefined;
    if (!this.#isOpen || this.#requested === 0) return;
    const { clock } = this.#connection.options;
    const leftMs = this.#heardMs + silenceMs - clock.monotonic();
    if (leftMs > 0) this.#silence = clock.setTimer(leftMs, () => this.#look());
    else if (this.#connection.isUp) this.#renew();
  }
}
