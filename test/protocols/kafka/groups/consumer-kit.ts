import { ConsumerGroup } from '../../../../src/protocols/kafka/groups/consumer/consumer-group.ts';
import type {
  ConsumerHeartbeat,
  ConsumerHeartbeatResult,
} from '../../../../src/protocols/kafka/groups/consumer/messages.ts';
import { Patterns } from '../../../../src/protocols/kafka/groups/consumer/patterns.ts';
import type {
  TopicView,
  TopicsView,
} from '../../../../src/protocols/kafka/groups/consumer/subscribed-topics.ts';
import { freeCharge } from './free-charge.ts';
import { groupLimits, type GroupLimits } from '../../../../src/protocols/kafka/groups/limits.ts';
import { SeededRandom, VirtualClock } from '../../../../src/util/index.ts';
import { errorName } from '../../../../src/wire/kafka/index.ts';

/**
 * A KIP-848 group on a clock that moves only when told; its topics come from {@link topics}, with their names
 * as ids.
 */
export class ConsumerKit {
  readonly clock: VirtualClock = new VirtualClock();
  readonly topics: Map<string, number> = new Map();
  readonly group: ConsumerGroup;

  constructor(topics: { readonly [name: string]: number }, limits: Partial<GroupLimits> = {}) {
    for (const [name, partitions] of Object.entries(topics)) this.topics.set(name, partitions);
    const view = (name: string): TopicView => ({
      id: name,
      number: [...this.topics.keys()].indexOf(name),
      name,
      partitions: this.topics.get(name)!,
    });
    const views: TopicsView = {
      byName: (name) => (this.topics.has(name) ? view(name) : undefined),
      all: (after) => [...this.topics.keys()].map(view).filter(({ number }) => number > after),
    };
    const patterns = new Patterns(views, groupLimits(limits).memberTopicsMax);
    this.group = new ConsumerGroup('g', {
      clock: this.clock,
      random: new SeededRandom(3),
      limits: groupLimits(limits),
      charge: () => freeCharge,
      topics: views,
      patternOf: (text) => patterns.of(text),
      sessionMsOf: () => groupLimits(limits).consumerSessionMs.default,
      changed: () => undefined,
    });
  }

  /** A topic changes, as the broker's events tell. */
  setTopic(name: string, partitions: number): void {
    this.topics.set(name, partitions);
    this.group.noteTopicsChanged();
  }

  heartbeat(request: Partial<ConsumerHeartbeat> & { readonly memberId: string }): ConsumerHeartbeatResult {
    return this.group.heartbeat({
      memberEpoch: 0,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: null,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      ...request,
    });
  }

  /** NONE, or the name of the error. */
  refusal(request: Partial<ConsumerHeartbeat> & { readonly memberId: string }): string {
    try {
      this.heartbeat(request);
      return 'NONE';
    } catch (error) {
      return errorName((error as { code: number }).code);
    }
  }
}

/** A client that follows its assignment at its next heartbeat. */
export class TestMember {
  readonly id: string;
  readonly kit: ConsumerKit;
  readonly instanceId: string | null;
  epoch = 0;
  owned: string[] = [];
  #told: readonly string[] | undefined = undefined;

  constructor(kit: ConsumerKit, id: string, options: { readonly instanceId?: string } = {}) {
    this.kit = kit;
    this.id = id;
    this.instanceId = options.instanceId ?? null;
  }

  join(topics: readonly string[] | { readonly regex: string }, more: Partial<ConsumerHeartbeat> = {}): this {
    const subscription =
      'regex' in topics ? { subscribedTopicRegex: topics.regex } : { subscribedTopicNames: topics };
    this.epoch = 0;
    this.owned = [];
    this.#hear(
      this.kit.heartbeat({
        memberId: this.id,
        memberEpoch: 0,
        instanceId: this.instanceId,
        rebalanceTimeoutMs: 30_000,
        topicPartitions: [],
        ...subscription,
        ...more,
      }),
    );
    return this;
  }

  /** Takes its assignment and reports it. `says` is reported instead, if given. */
  beat(more: Partial<ConsumerHeartbeat> = {}): this {
    const before = this.owned;
    if (this.#told) this.owned = [...this.#told];
    const changed = before.join() !== this.owned.join();
    this.#hear(
      this.kit.heartbeat({
        memberId: this.id,
        memberEpoch: this.epoch,
        instanceId: this.instanceId,
        topicPartitions: changed || this.#told ? listed(this.owned) : null,
        ...more,
      }),
    );
    return this;
  }

  leave(epoch = -1): ConsumerHeartbeatResult {
    return this.kit.heartbeat({ memberId: this.id, memberEpoch: epoch, instanceId: this.instanceId });
  }

  /** Its assignment, applied or not. */
  get told(): string {
    return [...(this.#told ?? this.owned)].join(' ');
  }

  #hear({ memberEpoch, assignment }: ConsumerHeartbeatResult): void {
    this.epoch = memberEpoch;
    this.#told = assignment?.flatMap(({ topicId, partitions }) =>
      partitions.map((partition) => `${topicId}-${partition}`),
    );
  }
}

export function listed(owned: readonly string[]): { topicId: string; partitions: number[] }[] {
  const byTopic = new Map<string, number[]>();
  for (const one of owned) {
    const [topicId, partition] = one.split('-') as [string, string];
    byTopic.set(topicId, [...(byTopic.get(topicId) ?? []), Number(partition)]);
  }
  return [...byTopic].map(([topicId, partitions]) => ({ topicId, partitions }));
}
