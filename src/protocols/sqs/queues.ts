import { BrokerError, defaultGroup, type Broker, type Group, type Topic } from '../../broker/index.ts';
import { AwsError } from '../../wire/aws/index.ts';
import { ledgerName } from '../sns/ledger.ts';
import { coreName, hasLegalCharacters, isLegalName, names } from '../names.ts';
import { checkAttributes, type AttributeTexts, type SettableName } from './attribute-rules.ts';
import { nameInArn, nameInUrl } from './queue-address.ts';
import { changedGroup, groupOptions, topicOptions, type RedriveOptions } from './queue-options.ts';
import { Queue, type StoredQueue } from './queue.ts';
import { readAllowPolicy, redriveOptions } from './redrive-policy.ts';

/** Topics that are looked at before other work gets its turn. */
const looksPerTurn = 500;

/** The queues of the server: every topic is one. */
export class Queues {
  readonly #broker: Broker;
  readonly #inFlightMax: number;
  /** By name, as SQS clients know it. Used until the topic is deleted. */
  readonly #known = new Map<string, Queue>();
  readonly #groups = new WeakMap<Topic, Promise<Group>>();
  readonly #forget: () => void;

  /** `inFlightMax`: messages that may be in flight in queues that are created. */
  constructor(broker: Broker, inFlightMax: number) {
    this.#broker = broker;
    this.#inFlightMax = inFlightMax;
    this.#forget = broker.events.subscribe((event) => {
      if (event.kind !== 'topic-deleted') return;
      const { name } = new Queue(event.topic);
      if (this.#known.get(name)?.topic === event.topic) this.#known.delete(name);
    });
  }

  close(): void {
    this.#forget();
  }

  /** Undefined if there is no queue of that name. */
  get(name: string): Queue | undefined {
    const known = this.#known.get(name);
    if (known) return known;
    const topicName = coreName(name, names.sqs.topic, this.#broker.topics);
    const topic = topicName === undefined ? undefined : this.#broker.topic(topicName);
    if (!topic) return undefined;
    const queue = new Queue(topic);
    this.#known.set(name, queue);
    return queue;
  }

  /** Throws QueueDoesNotExist, and InvalidAddress for a text that is no URL of a queue. */
  byUrl(url: string): Queue {
    return this.byName(nameInUrl(url));
  }

  /** Throws QueueDoesNotExist. */
  byName(name: string): Queue {
    const queue = this.get(name);
    if (!queue) throw new AwsError('QueueDoesNotExist');
    return queue;
  }

  /** Undefined if the text is no ARN of a queue, or if the queue does not exist. */
  byArn(arn: string): Queue | undefined {
    const name = nameInArn(arn);
    return name === undefined ? undefined : this.get(name);
  }

  /** The names of all queues that are wanted, in order. Takes turns with other work. */
  async names(isWanted: (queue: Queue) => boolean): Promise<string[]> {
    const found: string[] = [];
    let looks = 0;
    for (const topic of Array.from(this.#broker.topics.values())) {
      if (++looks % looksPerTurn === 0) await this.#broker.pacing.rest();
      if (topic.name === ledgerName) continue; // of SNS: no messages for anybody
      const queue = new Queue(topic);
      if (!topic.isDeleted && isWanted(queue)) found.push(queue.name);
    }
    return found.sort();
  }

  /** The group of a queue; a promise if it has to be created. */
  group(queue: Queue): Group | Promise<Group> {
    const { group, topic } = queue;
    if (group) return group;
    let creating = this.#groups.get(topic);
    if (!creating) {
      const options = groupOptions(queue.stored.attributes, {}, this.#inFlightMax);
      creating = topic.createGroup({ ...options, name: defaultGroup });
      this.#groups.set(topic, creating);
      void creating.catch(() => undefined).then(() => this.#groups.delete(topic));
    }
    return creating;
  }

  /**
   * Creates a queue; resolves when it is on disk. A queue that is there already is returned, unless an
   * attribute differs: then it rejects with QueueNameExists. Rejects as `checkAttributes` throws.
   */
  async create(
    name: string,
    given: ReadonlyMap<string, string>,
    tags: ReadonlyMap<string, string>,
  ): Promise<Queue> {
    const isFifo = name.endsWith('.fifo') && given.get('FifoQueue') === 'true';
    const existing = this.get(name);
    if (!existing) checkName(name, given.get('FifoQueue') === 'true');
    const attributes = checkAttributes(given, existing?.isFifo ?? isFifo);
    if (existing) return this.#stored(sameQueue(existing, attributes));
    const redrive = this.#redriveOf(attributes, { name, isFifo }) ?? {};
    const stored: StoredQueue = {
      attributes: changedAttributes({}, attributes),
      tags: Object.fromEntries(tags),
      modifiedMs: this.#broker.clock.now(),
      isOwn: true,
    };
    try {
      const { topic } = await this.#broker.defineQueue(
        { ...topicOptions(attributes), name, attributes: { sqs: stored } },
        groupOptions(attributes, redrive, this.#inFlightMax),
      );
      return new Queue(topic);
    } catch (error) {
      if (!(error instanceof BrokerError && error.code === 'topic-exists')) throw error;
      return this.#stored(sameQueue(this.byName(name), attributes)); // another request was faster
    }
  }

  /** Resolves to the queue when it is on disk: another request may just have created it. */
  #stored(queue: Queue): Promise<Queue> {
    return new Promise((resolve) => this.#broker.afterCommit(() => resolve(queue)));
  }

  /**
   * Changes attributes that `checkAttributes` has checked; resolves when that is on disk. Rejects with an
   * AwsError for a policy that the queue may not have.
   */
  async setAttributes(queue: Queue, changed: AttributeTexts): Promise<void> {
    const { topic, stored } = queue;
    const attributes = changedAttributes(stored.attributes, changed);
    const next = { ...stored, attributes, modifiedMs: this.#broker.clock.now() };
    const { MessageRetentionPeriod: retention, VisibilityTimeout: visibility } = changed;
    const redrive = this.#redriveOf(changed, queue);
    // A group that is created later would not know the policy.
    const group = redrive === undefined ? queue.group : await this.group(queue);
    const work = [
      topic.update({
        ...topic.config,
        ...(retention !== undefined && { ageMsMax: Number(retention) * 1000 }),
        attributes: { ...topic.config.attributes, sqs: next },
      }),
    ];
    const ownVisibility = stored.isOwn === true ? visibility : undefined;
    if (group && (ownVisibility !== undefined || redrive !== undefined))
      work.push(group.update(changedGroup(group.config, ownVisibility, redrive)));
    await Promise.all(work);
  }

  /** What the policies ask of the group; undefined if there is no RedrivePolicy. Throws an AwsError. */
  #redriveOf(
    { RedrivePolicy: policy, RedriveAllowPolicy: allow }: AttributeTexts,
    queue: Pick<Queue, 'name' | 'isFifo'>,
  ): RedriveOptions | undefined {
    if (allow !== undefined && allow !== '') readAllowPolicy(allow);
    if (policy === undefined || policy === '') return policy === '' ? {} : undefined;
    return redriveOptions(policy, queue, (arn) => this.byArn(arn));
  }

  /** Changes the tags; resolves when that is on disk. */
  async setTags(queue: Queue, tags: StoredQueue['tags']): Promise<void> {
    const { topic, stored } = queue;
    await topic.update({
      ...topic.config,
      attributes: { ...topic.config.attributes, sqs: { ...stored, tags } },
    });
  }
}

/** The attributes after a change, without those that were removed. */
function changedAttributes(before: AttributeTexts, changed: AttributeTexts): AttributeTexts {
  const after = { ...before, ...changed };
  // A queue has one kind of encryption. The last one named counts.
  if (changed.KmsMasterKeyId !== undefined && changed.KmsMasterKeyId !== '')
    after.SqsManagedSseEnabled = 'false';
  else if (changed.SqsManagedSseEnabled === 'true') {
    delete after.KmsMasterKeyId;
    delete after.KmsDataKeyReusePeriodSeconds;
  }
  if (after.KmsDataKeyReusePeriodSeconds === '300') delete after.KmsDataKeyReusePeriodSeconds;
  return Object.fromEntries(Object.entries(after).filter(([, value]) => value !== ''));
}

/** Throws InvalidParameterValue for a name that SQS does not allow for a new queue. */
function checkName(name: string, isFifo: boolean): void {
  const rule = names.sqs.topic;
  if (isLegalName(name, rule) && name.endsWith('.fifo') === isFifo) return;
  throw new AwsError(
    'InvalidParameterValue',
    isFifo && hasLegalCharacters(name, rule)
      ? 'The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.'
      : 'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
  );
}

/** Throws QueueNameExists if an attribute that is given differs from that of the queue. */
function sameQueue(queue: Queue, attributes: AttributeTexts): Queue {
  for (const [name, value] of Object.entries(attributes) as [SettableName, string][]) {
    if (value === (queue.attribute(name) ?? '')) continue;
    throw new AwsError(
      'QueueNameExists',
      `A queue already exists with the same name and a different value for attribute ${name}`,
    );
  }
  return queue;
}
