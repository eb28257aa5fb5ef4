import type { Broker } from '../../../broker/index.ts';
import type { Users } from '../../users/index.ts';
import { grantsOf } from './acl-grants.ts';
import { keptAcls } from './acls.ts';
import { keptUsers } from './kept-users.ts';

/** The source, in the table of users, of all changes by Kafka clients. */
export const kafkaSource = 'kafka';

/** Adds the users and ACLs that the broker keeps for Kafka to the table of users. */
export function restoreUsers(broker: Broker, users: Users): void {
  const kept = [...keptUsers(broker.attributes)];
  if (kept.length > 0) users.keep(kafkaSource, kept);
  const grants = grantsOf(keptAcls(broker.attributes));
  if (grants.length > 0) users.grant(kafkaSource, grants);
}
