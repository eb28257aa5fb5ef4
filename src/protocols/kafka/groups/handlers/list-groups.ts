import { ErrorCode } from '../../../../wire/kafka/index.ts';
import type { Handler } from '../../handler.ts';
import { Operation } from '../../security/index.ts';

export const listGroups: Handler<'ListGroups'> = ({ statesFilter, typesFilter }, { host, rights }) => {
  const isAll = rights.mayCluster(Operation.describe);
  const states = lowerCase(statesFilter);
  const types = lowerCase(typesFilter);
  const groups = host.coordinator
    .list()
    .filter(
      ({ groupId, state, type }) =>
        (isAll || rights.mayGroup(Operation.describe, groupId)) &&
        (states.size === 0 || states.has(state.toLowerCase())) &&
        (types.size === 0 || types.has(type)),
    )
    .map(({ groupId, protocolType, state, type }) => ({
      groupId,
      protocolType,
      groupState: state,
      groupType: type,
    }));
  return { errorCode: ErrorCode.NONE, groups };
};

function lowerCase(words: readonly string[]): ReadonlySet<string> {
  return new Set(words.map((word) => word.toLowerCase()));
}
