import type { Clock, Timer } from '../../util/index.ts';
import type { BrokerEvent } from '../events.ts';
import type { ActiveInfo, Group } from '../model.ts';
import type { Attached, Rota } from './rota.ts';

/** What the active consumer needs of its group. */
export interface ActiveConsumerHost {
  readonly clock: Clock;
  readonly group: Group;
  /** In the order of attachment. */
  attached(): Iterable<Attached>;
  /** How long the active consumer may show no sign of life. */
  silenceMs(): number;
  emit(event: BrokerEvent): void;
  wake(): void;
}

/** Why a consumer is no longer the active one. */
type Loss = 'left' | 'silent' | 'released';

/**
 * The rota of a group with a single active consumer: one gets all messages, and the others wait to take over.
 * The active one is the first by priority, and then by attachment. It stays active if a consumer of a higher
 * priority attaches later. The next takes over when the active one leaves, is silent, or is released. What a
 * former active consumer holds stays with it until it is answered.
 *
 * A consumer that lasts is chosen as soon as it is attached. A pull is chosen when there is a message for it:
 * it may end without one, and its client would not know that it was the active consumer.
 *
 * A member that pulls stays active between its pulls. It is silent if it has shown no sign of life for some
 * time: no pull, no answer, no new credit. A consumer that waits for messages and holds none is not silent.
 */
export class ActiveConsumer implements Rota {
  readonly #host: ActiveConsumerHost;
  /** The consumers of the active member, in the order of their turns. */
  readonly #consumers = new Set<Attached>();
  /**
   * The consumer that stands for the active member; the last one attached. Undefined: no member is active.
   */
  #active: Attached | undefined = undefined;
  #sinceMs = 0;
  #chosen = 0;
  #signMs = 0;
  #timer: Timer | undefined = undefined;
  /** The member that was silent or released, which is chosen again only if there is no other. */
  #passed: Attached | undefined = undefined;
  readonly #passedOver = { run: new Set<Attached>(), message: new Set<Attached>() };

  constructor(host: ActiveConsumerHost) {
    this.#host = host;
  }

  get info(): ActiveInfo | undefined {
    const consumer = this.#active?.consumer;
    if (!consumer) return undefined;
    const { label, member, connection } = consumer;
    return { label, member, connection, sinceMs: this.#sinceMs };
  }

  /** How often a consumer became the active one. */
  get chosen(): number {
    return this.#chosen;
  }

  isActive(attached: Attached): boolean {
    return this.#active !== undefined && this.#active.isOfMember(attached);
  }

  /** While one is active, the others get nothing. While none is, no pull has taken a message yet. */
  get holdsBack(): boolean {
    return this.#active !== undefined;
  }

  // ---- consumers

  add(attached: Attached): void {
    if (!this.#active) return this.#choose();
    if (!this.#active.isOfMember(attached)) {
      if (this.#timer === undefined) this.#look(); // there was no other when it fell silent
      return;
    }
    this.#active = attached;
    this.#consumers.add(attached);
    this.#shown();
    attached.consumer.activated?.();
  }

  remove(attached: Attached, returns: boolean): void {
    if (this.#passed === attached && !returns) this.#passed = undefined;
    this.#passedOver.run.delete(attached);
    this.#passedOver.message.delete(attached);
    if (!this.#active) return this.#choose(); // a pull may have been in the way of one that lasts
    if (!this.#consumers.delete(attached) || this.#consumers.size > 0) return;
    if (!returns || attached.consumer.member === undefined) this.#lose('left');
  }

  mayHaveCredit(attached: Attached | undefined): void {
    if (attached !== undefined && countsAnswers(attached) && this.#consumers.has(attached)) this.#shown();
  }

  /** A consumer answered a delivery. */
  answered(attached: Attached | undefined): void {
    if (attached !== undefined && countsAnswers(attached) && this.isActive(attached)) this.#shown();
  }

  /** Makes the active consumer one of those that wait. Returns false if there was none. */
  release(): boolean {
    if (!this.#active) return false;
    this.#lose('released');
    return true;
  }

  /** Ends the watch over the active consumer, for good if the group is closed. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  // ---- turns

  next(): Attached | undefined {
    if (!this.#active) return this.#first(({ consumer }) => consumer.credit > 0);
    for (const attached of this.#consumers)
      if (attached.consumer.credit > 0 && !this.#isPassedOver(attached)) return attached;
    return undefined;
  }

  taken(attached: Attached): void {
    this.#passedOver.message.clear();
    if (!this.#active) return this.#activate(attached);
    // A consumer that held nothing has the whole time for its first answer.
    if (attached.size === 0 && countsAnswers(attached)) this.#shown();
    if (this.#consumers.size === 1) return;
    this.#consumers.delete(attached);
    this.#consumers.add(attached);
  }

  passOver(attached: Attached, until: 'run' | 'message'): void {
    this.#passedOver[until].add(attached);
  }

  runEnded(): void {
    this.#passedOver.run.clear();
    this.#passedOver.message.clear();
  }

  #isPassedOver(attached: Attached): boolean {
    const { run, message } = this.#passedOver;
    return run.has(attached) || message.has(attached);
  }

  // ---- who is active

  /** The first by priority, and then by attachment, of those that may be chosen. */
  #first(may: (attached: Attached) => boolean): Attached | undefined {
    let first: Attached | undefined;
    let passed: Attached | undefined;
    for (const attached of this.#host.attached()) {
      if (this.#isPassedOver(attached) || !may(attached)) continue;
      if (this.#passed?.isOfMember(attached)) passed ??= attached;
      else if (!first || attached.priority > first.priority) first = attached;
    }
    return first ?? passed;
  }

  /** Chooses the next active consumer, unless that is a pull: see {@link taken}. */
  #choose(): void {
    const first = this.#first(() => true);
    if (first && first.consumer.presence === undefined) this.#activate(first);
  }

  #activate(attached: Attached): void {
    this.#active = attached;
    this.#chosen++;
    this.#passed = undefined;
    this.#sinceMs = this.#host.clock.now();
    attached.consumer.activated?.();
    for (const other of this.#host.attached()) {
      if (!attached.isOfMember(other)) continue;
      this.#consumers.add(other);
      if (other !== attached) other.consumer.activated?.();
    }
    this.#shown();
    this.#tell(this.info, undefined, 'chosen');
  }

  #lose(why: Loss): void {
    this.stop();
    const former = this.info;
    const consumers = [...this.#consumers];
    this.#passed = why === 'left' ? undefined : this.#active;
    this.#active = undefined;
    this.#consumers.clear();
    this.#tell(undefined, former, why);
    for (const { consumer } of consumers) consumer.deactivated?.();
    if (!this.#active) this.#choose();
    this.#host.wake();
  }

  #tell(active: ActiveInfo | undefined, former: ActiveInfo | undefined, why: Loss | 'chosen'): void {
    this.#host.emit({ kind: 'active-changed', group: this.#host.group, active, former, why });
  }

  // ---- silence

  #shown(): void {
    this.#signMs = this.#host.clock.monotonic();
    if (this.#timer === undefined) this.#watch();
  }

  #watch(): void {
    const { clock } = this.#host;
    this.stop();
    const leftMs = this.#signMs + this.#host.silenceMs() - clock.monotonic();
    this.#timer = clock.setTimer(Math.max(1, Math.ceil(leftMs)), () => this.#look());
  }

  #look(): void {
    const { clock } = this.#host;
    this.stop();
    if (this.#isWaiting()) this.#signMs = clock.monotonic();
    if (clock.monotonic() - this.#signMs < this.#host.silenceMs()) this.#watch();
    else if (this.#active!.consumer.presence === 'pulls' || this.#hasOthers()) this.#lose('silent');
  }

  /** Whether another member is attached, which could take over. */
  #hasOthers(): boolean {
    for (const attached of this.#host.attached()) if (!this.isActive(attached)) return true;
    return false;
  }

  /** Whether the active member waits for messages and is not behind with its answers. */
  #isWaiting(): boolean {
    for (const attached of this.#consumers)
      if (countsAnswers(attached) && attached.size === 0 && attached.consumer.credit > 0) return true;
    return false;
  }

  /** The configuration has another time. */
  silenceChanged(): void {
    if (this.#active) this.#watch();
  }
}

/** Whether answers and credit show that the consumer is there, and not only its pulls. */
function countsAnswers({ consumer }: Attached): boolean {
  return consumer.presence !== 'pulls';
}
