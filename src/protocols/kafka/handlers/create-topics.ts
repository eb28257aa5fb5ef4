import type { TopicConfig, TopicOptions } from '../../../broker/index.ts';
import {
  ErrorCode,
  zeroUuid,
  type CreateTopicsRequest,
  type ResponseDraft,
} from '../../../wire/kafka/index.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../errors.ts';
import type { Handler, RequestContext } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import type { KafkaHost } from '../kafka-host.ts';
import { takeMutations } from '../quotas/index.ts';
import { Operation, type Rights } from '../security/index.ts';
import { fieldsOf, shownConfigs, type ConfigTexts } from '../topic-configs.ts';
import { checkTopicName } from '../topic-names.ts';
import { describedConfig } from './describe-configs.ts';

type Wanted = CreateTopicsRequest['topics'][number];
type TopicDraft = ResponseDraft<'CreateTopics'>['topics'][number];

/** The first version that knows THROTTLING_QUOTA_EXCEEDED (KIP-599). */
const strictSince = 6;
/** -1 for partitions or replication factor stands for the broker's default. */
const byDefault = -1;

export const createTopics: Handler<'CreateTopics'> = async (request, context) => {
  const { topics: wanted, validateOnly } = request;
  const names = new Set<string>();
  const twice = new Set<string>();
  for (const { name } of wanted) (names.has(name) ? twice : names).add(name);
  // A name that is given twice gets one answer.
  const distinct = wanted.filter(({ name }) => names.delete(name));
  const topics = await inTurns(distinct, context.session, (topic) =>
    createOne(topic, validateOnly, twice.has(topic.name), context),
  );
  return { topics };
};

async function createOne(
  wanted: Wanted,
  validateOnly: boolean,
  isTwice: boolean,
  context: RequestContext,
): Promise<TopicDraft> {
  const { name } = wanted;
  const { host, rights } = context;
  try {
    if (isTwice) throw new KafkaError(ErrorCode.INVALID_REQUEST, `Topic ${name} is in the request twice.`);
    if (!rights.mayCluster(Operation.create) && !rights.mayTopic(Operation.create, name))
      throw new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED, 'Authorization failed.');
    const options = optionsOf(wanted, host);
    if (host.topicNames.topic(name) || host.offsetsTopic.is(name))
      throw new KafkaError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`);
    if (validateOnly) return created(name, zeroUuid, host.broker.checkNewTopic(options), rights);
    takeMutations(context, options.partitions ?? 1, strictSince);
    const topic = await host.broker.createTopic(options);
    return created(name, host.topicIds.idOf(topic), topic.config, rights);
  } catch (error) {
    return { name, errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error), configs: [] };
  }
}

function created(name: string, topicId: string, config: TopicConfig, rights: Rights): TopicDraft {
  const base = { name, topicId, errorCode: ErrorCode.NONE, errorMessage: null };
  // A client that may not describe configs gets neither the configs nor the number of partitions (KIP-525).
  if (!rights.mayTopic(Operation.describeConfigs, name))
    return { ...base, topicConfigErrorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, configs: null };
  return {
    ...base,
    numPartitions: config.partitions,
    replicationFactor: 1,
    configs: shownConfigs({ config }).map(describedConfig),
  };
}

function optionsOf(
  { name, numPartitions, replicationFactor, assignments, configs }: Wanted,
  host: KafkaHost,
): TopicOptions {
  checkTopicName(name);
  if (assignments.length > 0 && (numPartitions !== byDefault || replicationFactor !== byDefault))
    throw new KafkaError(
      ErrorCode.INVALID_REQUEST,
      'Both partitions (or a replication factor) and an assignment were given.',
    );
  const indexes = assignments.map(({ partitionIndex }) => partitionIndex).sort((a, b) => a - b);
  if (indexes.some((index, at) => index !== at))
    throw new KafkaError(
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      'partitions should be a consecutive 0-based integer sequence',
    );
  for (const { brokerIds } of assignments)
    if (brokerIds.length !== 1 || brokerIds[0] !== host.nodeId)
      throw new KafkaError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, `The only broker is ${host.nodeId}.`);
  if (replicationFactor !== byDefault && replicationFactor !== 1)
    throw new KafkaError(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      `Replication factor ${replicationFactor} is not possible: there is one broker, so it is 1.`,
    );
  const asked = assignments.length > 0 ? assignments.length : numPartitions;
  const partitions = asked === byDefault ? host.autoCreation.partitions : asked;
  checkPartitions(partitions, host);
  return { name, partitions, ...fieldsOf(textsOf(configs)) };
}

function textsOf(configs: Wanted['configs']): ConfigTexts {
  const missing = configs.filter(({ value }) => value === null).map((config) => config.name);
  if (missing.length > 0)
    throw new KafkaError(
      ErrorCode.INVALID_CONFIG,
      `Null value not supported for topic configs: ${missing.join(', ')}`,
    );
  return Object.fromEntries(configs.map((config) => [config.name, config.value!]));
}

/** Throws a KafkaError INVALID_PARTITIONS. */
export function checkPartitions(partitions: number, { limits }: KafkaHost): void {
  if (partitions >= 1 && partitions <= limits.partitionsMax) return;
  throw new KafkaError(
    ErrorCode.INVALID_PARTITIONS,
    `A topic has 1 to ${limits.partitionsMax} partitions, not ${partitions}.`,
  );
}
