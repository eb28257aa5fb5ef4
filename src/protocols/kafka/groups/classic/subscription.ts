import { WireError, decodeConsumerSubscription } from '../../../../wire/kafka/index.ts';
import type { ClassicGroup } from './classic-group.ts';
import type { ClassicMember } from './classic-member.ts';
import type { JoinRequest } from './messages.ts';

/** The protocol type of groups of consumers. For other types (connect, …) the topics cannot be known. */
export const consumerProtocolType = 'consumer';

/** The topics that a joining member reads by any of its protocols. */
export function topicsOfRequest({ protocolType, protocols }: JoinRequest): ReadonlySet<string> {
  const topics = new Set<string>();
  if (protocolType !== consumerProtocolType) return topics;
  for (const { metadata } of protocols) for (const topic of topicsIn(metadata)) topics.add(topic);
  return topics;
}

/** The members that read each topic. */
export function readersOfTopics(group: ClassicGroup): ReadonlyMap<string, readonly ClassicMember[]> {
  const readers = new Map<string, ClassicMember[]>();
  if (group.protocolType !== consumerProtocolType) return readers;
  for (const member of group.members.values()) {
    const name = group.protocolName ?? member.protocols[0]?.name ?? null;
    for (const topic of new Set(topicsIn(member.metadataOf(name)))) {
      const known = readers.get(topic);
      if (known) known.push(member);
      else readers.set(topic, [member]);
    }
  }
  return readers;
}

/** Returns no topics if the bytes are not a subscription: their meaning is private to the members. */
function topicsIn(metadata: Buffer): readonly string[] {
  try {
    return decodeConsumerSubscription(metadata).topics;
  } catch (error) {
    if (error instanceof WireError || error instanceof RangeError) return [];
    throw error;
  }
}
