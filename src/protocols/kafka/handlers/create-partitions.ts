import { ErrorCode, type CreatePartitionsRequest, type ResponseDraft } from '../../../wire/kafka/index.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../errors.ts';
import type { Handler, RequestContext } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import { takeMutations } from '../quotas/index.ts';
import { Operation } from '../security/index.ts';
import { mayUse } from '../topic-access.ts';
import { checkPartitions } from './create-topics.ts';

/** The first version that knows THROTTLING_QUOTA_EXCEEDED (KIP-599). */
const strictSince = 3;

type ResultDraft = ResponseDraft<'CreatePartitions'>['results'][number];

export const createPartitions: Handler<'CreatePartitions'> = async (request, context) => ({
  results: await inTurns(request.topics, context.session, async (topic): Promise<ResultDraft> => {
    const { name } = topic;
    try {
      if (!mayUse(context, Operation.alter, name))
        throw new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED, 'The topic authorization is failed.');
      await grow(topic, request.validateOnly, context);
      return { name, errorCode: ErrorCode.NONE };
    } catch (error) {
      return { name, errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error) };
    }
  }),
});

async function grow(
  { name, count, assignments }: CreatePartitionsRequest['topics'][number],
  validateOnly: boolean,
  context: RequestContext,
): Promise<void> {
  const { host } = context;
  const topic = host.topicNames.topic(name);
  if (host.offsetsTopic.is(name))
    throw new KafkaError(
      ErrorCode.INVALID_REQUEST,
      'The offsets topic is internal: offsets.topic.num.partitions says how many partitions it has.',
    );
  if (!topic) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `There is no topic '${name}'.`);
  const now = topic.partitions.length;
  if (count <= now)
    throw new KafkaError(
      ErrorCode.INVALID_PARTITIONS,
      `Topic '${name}' has ${now} partitions; ${count} would not be more.`,
    );
  checkPartitions(count, host);
  if (assignments !== null) {
    const isRight =
      assignments.length === count - now &&
      assignments.every(({ brokerIds }) => brokerIds.length === 1 && brokerIds[0] === host.nodeId);
    if (!isRight)
      throw new KafkaError(
        ErrorCode.INVALID_REPLICA_ASSIGNMENT,
        `Each of the ${count - now} new partitions goes to broker ${host.nodeId}, the only one.`,
      );
  }
  const config = topic.checkUpdate({ ...topic.config, partitions: count });
  if (validateOnly) return;
  takeMutations(context, count - now, strictSince);
  await topic.update(config);
}
