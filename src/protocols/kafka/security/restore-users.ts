import type { Broker } from '../../../broker/index.ts';
import type { Users } from '../../users/index.ts';
import { grantsOf } from './acl-grants.ts';
import { keptAcls } from './acls.ts';
import { keptUsers } from './kept-users.ts';

/** The name that what Kafka clients change of users goes by in the table of users. */
export const kafkaSource = 'kafka';

/** Tells the table of users what the broker keeps of them for Kafka. */
export function restoreUsers(broker: Broker, users: Users): void {
  const kept = [...keptUsers(broker.attributes)];
  if (kept.length > 0) users.keep(kafkaSource, kept);
  const grants = grantsOf(keptAcls(broker.attributes));
  if (grants.length > 0) users.grant(kafkaSource, grants);
}
