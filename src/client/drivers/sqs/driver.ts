import type { DriverOptions } from '../../connect.ts';
import type { DeliverySink, Driver, LetterStore, OutgoingMessage, Published, Puller } from '../../driver.ts';
import { ClientError, UnsupportedError } from '../../errors.ts';
import type { Capabilities } from '../../features.ts';
import { ackWaitDefaultMs, retryPlan, type GroupPlan, type GroupSettings } from '../../group-settings.ts';
import { loadPeer } from '../../peer.ts';
import type { ServerUrl } from '../../target-url.ts';
import { letterHeaders } from '../letter-headers.ts';
import { targetsWith } from '../table.ts';
import { sqsCapabilities } from './capabilities.ts';
import { SqsDelivery } from './delivery.ts';
import { SqsLetters } from './letters.ts';
import { SqsPuller } from './puller.ts';
import { SqsQueues } from './queues.ts';
import { sqsMessage } from './stored.ts';

const packageName = '@aws-sdk/client-sqs';
/** SQS holds a message back for no longer. */
const delaySecondsMax = 900;
/** Tags of a queue: the name of its group, and the settings of that, as JSON in base64. */
const groupTag = 'pillarbox.group';
const planTag = 'pillarbox.plan';
const tagLengthMax = 256;

/**
 * Connects to SQS of a region (`sqs://sqs.REGION.amazonaws.com`), or to what speaks like it
 * (`sqs://HOST:PORT`, with TLS for `?tls=true`). Without credentials the package looks for them as it does.
 */
export async function openSqs(server: ServerUrl, options: DriverOptions): Promise<Driver> {
  const { shown, hosts, parameters } = server;
  const sdk = await loadPeer(shown, packageName, () => import('@aws-sdk/client-sqs'));
  const [host = ''] = hosts;
  const ofAmazon = /^sqs\.([\w-]+)\.amazonaws\.com/.exec(host);
  const isSecure = ofAmazon !== null || parameters.get('tls') === 'true';
  const accessKeyId = options.user ?? server.user;
  const secretAccessKey = options.password ?? server.password;
  const client = new sdk.SQSClient({
    region: parameters.get('region') ?? ofAmazon?.[1] ?? 'us-east-1',
    ...(ofAmazon ? {} : { endpoint: `${isSecure ? 'https' : 'http'}://${host}` }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey } }),
  });
  const queues = new SqsQueues(shown, sdk, client);
  try {
    const look = client.send(new sdk.ListQueuesCommand({ MaxResults: 1 }), {
      abortSignal: AbortSignal.timeout(options.requestTimeoutMs),
    });
    await queues.ask('answer', look);
  } catch (error) {
    client.destroy();
    throw new ClientError('unreachable', (error as Error).message, error);
  }
  return new SqsDriver(queues, options);
}

/** Standard queues. A topic is a queue, and has one group, whose name and settings are tags of the queue. */
class SqsDriver implements Driver {
  readonly target: string;
  readonly capabilities: Capabilities = sqsCapabilities;
  readonly #queues: SqsQueues;
  readonly #options: DriverOptions;

  constructor(queues: SqsQueues, options: DriverOptions) {
    this.target = queues.target;
    this.#queues = queues;
    this.#options = options;
  }

  async declareTopic(topic: string): Promise<void> {
    await this.#queues.urlOf(topic);
  }

  async declareGroup(topic: string, group: string, settings: GroupSettings): Promise<GroupPlan> {
    const { ListQueueTagsCommand, TagQueueCommand } = this.#queues.sdk;
    const QueueUrl = await this.#queues.urlOf(topic);
    const list = this.#queues.client.send(new ListQueueTagsCommand({ QueueUrl }));
    const { Tags = {} } = await this.#queues.ask(`read the tags of queue "${topic}"`, list);
    if (Tags[groupTag] !== undefined && Tags[groupTag] !== group)
      throw new UnsupportedError(
        `${this.target} (queue "${topic}" has group "${Tags[groupTag]}")`,
        'fanOut',
        targetsWith('fanOut'),
      );
    const before = Tags[planTag] === undefined ? undefined : planIn(Tags[planTag]);
    const retries = retryPlan(topic, group, settings, before);
    const ackWaitMs = settings.ackWaitMs ?? before?.ackWaitMs ?? ackWaitDefaultMs;
    const plan: GroupPlan = { topic, name: group, ackWaitMs, ...retries };
    const text = planText(plan);
    if (text.length > tagLengthMax)
      throw new ClientError(
        'refused',
        `${this.target} has no room for the settings of group "${group}": give fewer of backoffMs.`,
      );
    if (text !== Tags[planTag]) {
      const tag = new TagQueueCommand({ QueueUrl, Tags: { [groupTag]: group, [planTag]: text } });
      await this.#queues.ask(`tag queue "${topic}"`, this.#queues.client.send(tag));
    }
    if (plan.deadLetter !== undefined) await this.#queues.urlOf(plan.deadLetter);
    return plan;
  }

  async publish(topic: string, message: OutgoingMessage): Promise<Published> {
    const { id, key, headers, value, deliverAtMs } = message;
    const delay =
      deliverAtMs === undefined ? 0 : Math.ceil((deliverAtMs - this.#options.clock.now()) / 1_000);
    if (delay > delaySecondsMax)
      throw new ClientError('refused', `${this.target} holds a message back for 15 minutes at most.`);
    await this.#send(topic, id, {
      ...sqsMessage(id, key, headers, value),
      ...(delay > 0 ? { DelaySeconds: delay } : {}),
    });
    return { id, partition: 0, offset: -1, duplicate: false };
  }

  consume(plan: GroupPlan, sink: DeliverySink): Puller {
    const visibilitySeconds = Math.max(1, Math.ceil(plan.ackWaitMs / 1_000));
    const { clock } = this.#options;
    return new SqsPuller(this.#queues, clock, plan.topic, visibilitySeconds, sink, (url, message) =>
      sink.received(
        new SqsDelivery(this.#queues, plan.topic, url, message, visibilitySeconds, (delivery, cause) =>
          this.#makeLetter(plan, delivery, cause),
        ),
      ),
    );
  }

  letters(topic: string): LetterStore {
    return new SqsLetters(this.#queues, topic);
  }

  async close(): Promise<void> {
    this.#queues.client.destroy();
  }

  async #makeLetter(plan: GroupPlan, delivery: SqsDelivery, cause: string): Promise<void> {
    if (plan.deadLetter === undefined) return;
    const { id, key, headers, bytes } = delivery.message;
    const story = letterHeaders(delivery, plan.name, key ?? '', cause, this.#options.clock.now());
    await this.#send(
      plan.deadLetter,
      id,
      sqsMessage(id, key, [...headers, ...story], bytes ?? new Uint8Array(0)),
    );
  }

  /** Sends a message, and again while the service cannot be reached: it may be there twice then. */
  async #send(topic: string, id: string, parts: object & { readonly MessageBody: string }): Promise<void> {
    const { SendMessageCommand } = this.#queues.sdk;
    const { clock, publishTimeoutMs } = this.#options;
    const deadlineMs = clock.monotonic() + publishTimeoutMs;
    for (;;) {
      try {
        const QueueUrl = await this.#queues.urlOf(topic);
        const request = this.#queues.client.send(new SendMessageCommand({ QueueUrl, ...parts }));
        await this.#queues.ask(`take message "${id}"`, request);
        return;
      } catch (error) {
        const isOut = error instanceof ClientError && error.code === 'unreachable';
        if (!isOut) throw error;
        if (clock.monotonic() > deadlineMs) throw new ClientError('not-confirmed', error.message, error);
        this.#options.fault(error);
        await clock.sleep(againMs);
      }
    }
  }
}

const againMs = 250;

/** Tags have no braces and quotes. */
function planText({ ackWaitMs, maxDeliver, backoffMs, backoffJitter, deadLetter }: GroupPlan): string {
  const limit = maxDeliver === Infinity ? -1 : maxDeliver;
  const json = JSON.stringify([ackWaitMs, limit, backoffJitter, deadLetter ?? false, ...backoffMs]);
  return Buffer.from(json).toString('base64');
}

function planIn(text: string): Omit<GroupPlan, 'topic' | 'name'> {
  const [ackWaitMs, limit, backoffJitter, deadLetter, ...backoffMs] = JSON.parse(
    Buffer.from(text, 'base64').toString(),
  ) as [number, number, number, string | false, ...number[]];
  return {
    ackWaitMs,
    maxDeliver: limit < 0 ? Infinity : limit,
    backoffJitter,
    deadLetter: deadLetter === false ? undefined : deadLetter,
    backoffMs,
  };
}
