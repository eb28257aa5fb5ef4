import type { Broker, BudgetName } from '../../src/broker/index.ts';

/** Differences between the charges of the broker's budgets and the existing objects. To be called at rest. */
export function wrongAccounts(broker: Broker): string[] {
  const there: { [K in BudgetName]?: number } = {
    topics: broker.topics.size,
    partitions: 0,
    groups: 0,
    positions: 0,
    ordered: 0,
    consumers: 0,
    subscriptions: broker.router.subscriptions,
    keys: 0,
    dedupeIds: 0,
    producers: 0,
    delayed: broker.stats().delayed,
  };
  const count = (name: BudgetName, more: number): void => {
    there[name] = there[name]! + more;
  };
  for (const topic of broker.topics.values()) {
    count('partitions', topic.partitions.length);
    count('groups', topic.groups.size);
    count('dedupeIds', topic.deduplication.size);
    count('positions', topic.groups.size * topic.partitions.length);
    for (const group of topic.groups.values()) {
      count('consumers', group.consumers);
      for (const position of group.positions.opened) count('ordered', position.underWayByKey);
    }
    for (const partition of topic.partitions.opened) {
      count('keys', partition.keyCount);
      count('producers', partition.producers.size);
    }
  }
  return (Object.keys(there) as BudgetName[])
    .filter((name) => broker.budgets.used(name) !== there[name])
    .map((name) => `${broker.budgets.used(name)} ${name} are charged, and ${there[name]} are there`);
}
