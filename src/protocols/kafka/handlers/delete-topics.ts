import type { Topic } from '../../../broker/index.ts';
import { ErrorCode, zeroUuid, type ResponseDraft } from '../../../wire/kafka/index.ts';
import { errorCodeOf, errorMessageOf } from '../errors.ts';
import type { Handler, RequestContext } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import { takeMutations } from '../quotas/index.ts';
import { Operation } from '../security/index.ts';
import { mayUse, mayUseId } from '../topic-access.ts';

/** The first version that knows THROTTLING_QUOTA_EXCEEDED (KIP-599). */
const strictSince = 5;
const staysInternal = 'The offsets topic is internal: it cannot be deleted.';

type TopicDraft = ResponseDraft<'DeleteTopics'>['responses'][number];

export const deleteTopics: Handler<'DeleteTopics'> = async (request, context) => {
  const { host, session, version, rights } = context;
  const wanted =
    version >= 6 ? request.topics : request.topicNames.map((name) => ({ name, topicId: zeroUuid }));
  const responses = await inTurns(wanted, session, ({ name, topicId }): TopicDraft | Promise<TopicDraft> => {
    const topic = name === null ? host.topicIds.topic(topicId) : host.topicNames.topic(name);
    if (
      name === null ? !mayUseId(context, Operation.delete, topicId) : !mayUse(context, Operation.delete, name)
    ) {
      // If the client asked for a topic by its id, it gets the name only if it may describe the topic.
      const shown = topic && host.topicNames.nameOf(topic);
      const isKnown = name !== null || (shown !== undefined && rights.mayTopic(Operation.describe, shown));
      return {
        name: isKnown ? (name ?? shown ?? null) : null,
        topicId,
        errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
        errorMessage: null,
      };
    }
    if (topic) return deleteOne(topic, host.topicNames.nameOf(topic), host.topicIds.idOf(topic), context);
    if (name === null ? host.offsetsTopic.isId(topicId) : host.offsetsTopic.is(name))
      return { name, topicId, errorCode: ErrorCode.INVALID_REQUEST, errorMessage: staysInternal };
    const isById = name === null;
    return {
      name,
      topicId,
      errorCode: isById ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      errorMessage: isById ? 'There is no topic with that id.' : `There is no topic '${name}'.`,
    };
  });
  return { responses };
};

async function deleteOne(
  topic: Topic,
  name: string,
  topicId: string,
  context: RequestContext,
): Promise<TopicDraft> {
  try {
    takeMutations(context, topic.partitions.length, strictSince);
    await topic.delete();
    return { name, topicId, errorCode: ErrorCode.NONE };
  } catch (error) {
    return { name, topicId, errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error) };
  }
}
