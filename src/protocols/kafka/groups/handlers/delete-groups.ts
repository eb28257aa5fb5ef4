import { ErrorCode } from '../../../../wire/kafka/index.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../../errors.ts';
import type { Handler } from '../../handler.ts';
import { inTurns } from '../../../connections/index.ts';
import { Operation } from '../../security/index.ts';
import type { GroupCoordinator } from '../coordinator.ts';
import { isShareGroup } from '../share/share-offsets.ts';

/** Deletes groups without members, with their positions on all topics. */
export const deleteGroups: Handler<'DeleteGroups'> = async ({ groupsNames }, { host, session, rights }) => ({
  results: await inTurns(groupsNames, session, async (groupId) => {
    try {
      if (!rights.mayGroup(Operation.delete, groupId))
        throw new KafkaError(ErrorCode.GROUP_AUTHORIZATION_FAILED);
      await deleteGroup(host.coordinator, groupId);
      return { groupId, errorCode: ErrorCode.NONE, errorMessage: null };
    } catch (error) {
      return { groupId, errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error) };
    }
  }),
});

async function deleteGroup(coordinator: GroupCoordinator, groupId: string): Promise<void> {
  const live = coordinator.find(groupId);
  const isEmpty = live === undefined || live.isForgettable;
  const groups = coordinator.offsets.of(groupId);
  // Consumers that other protocols (JetStream) created under this name can only be deleted there.
  for (const topic of coordinator.broker.topics.values()) {
    const group = topic.groups.get(groupId);
    if (group && isShareGroup(group)) groups.push(group);
  }
  if (!isEmpty || groups.some(({ consumers }) => consumers > 0))
    throw new KafkaError(ErrorCode.NON_EMPTY_GROUP, `Group "${groupId}" has members; stop them first.`);
  if (!coordinator.emptied.delete(groupId) && groups.length === 0)
    throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, `There is no group "${groupId}".`);
  await Promise.all(groups.map((group) => group.delete()));
}
