import type { VNode } from 'preact';
import type { TopicDetailsJson } from '../../admin-api/index.ts';
import { absolute, bytes, count, duration, rate } from '../format.ts';
import { TopicActions } from '../parts/topic-actions.tsx';
import { Fact, Figure } from '../parts/fields.tsx';
import { History } from '../parts/history.tsx';
import { GroupState, projectionOf } from '../parts/group-state.tsx';
import { Problem } from '../parts/problem.tsx';
import { For } from '../parts/times.tsx';
import { href, type Route } from '../route.ts';
import { useWatch } from '../stream.ts';
import { number, Table } from '../parts/table.tsx';

const retentions = {
  limits: 'kept until a limit is reached',
  queue: 'deleted when its group is done',
  interest: 'deleted when all groups are done',
} as const;

/** One topic: its rates, its groups, its limits and partitions. */
export function Topic({ route: { path, query } }: { readonly route: Route }): VNode {
  const [, name = ''] = path;
  const route = `/api/v1/topics/${encodeURIComponent(name)}`;
  const { value: topic, error } = useWatch<TopicDetailsJson>(route);
  if (!topic) return <Problem error={error} />;
  const slowest = topic.groupList.toSorted((a, b) => b.lag - a.lag)[0];
  const { durability, retention } = topic.config;
  return (
    <>
      <div class="head">
        <h1>{name}</h1>
        <span class="muted">
          {topic.partitions === 1 ? '1 partition' : `${topic.partitions} partitions`}, {retentions[retention]}
          , {durability === 'disk' ? 'on disk' : 'in memory'}
        </span>
        <span class="end row">
          <a href={href(['messages', name])}>Messages</a>
          <TopicActions topic={topic} />
        </span>
      </div>
      <dl class="figures">
        <Figure name="In">{rate(topic.inPerSecond)}</Figure>
        <Figure name="Out">{rate(topic.outPerSecond)}</Figure>
        <Figure name="Stored">
          {count(topic.messages)} <small>{bytes(topic.bytes)}</small>
        </Figure>
        <Figure name="Backlog">{slowest ? count(slowest.lag) : '–'}</Figure>
        <Figure name="Oldest">
          <For ms={topic.messages === 0 ? null : topic.oldestAgeMs} />
        </Figure>
        <Figure name="Full in">
          <For ms={topic.timeToFullMs} />
        </Figure>
        {topic.deadLettered > 0 && <Figure name="Died since the start">{count(topic.deadLettered)}</Figure>}
      </dl>
      <History
        path={`${route}/history`}
        range={query.get('range') ?? 'hour'}
        out="delivered"
        level="backlog"
        projection={slowest && projectionOf(slowest)}
        words={topic.timeToFullMs === null ? '' : `Full in ${duration(topic.timeToFullMs)} if rates stay.`}
      />
      <Groups topic={topic} />
      <section>
        <h2>Limits and settings</h2>
        <Settings topic={topic} />
      </section>
      {topic.partitions > 1 && <Partitions topic={topic} />}
    </>
  );
}

function Groups({ topic }: { readonly topic: TopicDetailsJson }): VNode {
  return (
    <section>
      <h2>Groups</h2>
      {topic.groupList.length === 0 ? (
        <p class="muted">
          No group reads this topic. A consumer of any protocol makes one; every group gets every message.
        </p>
      ) : (
        <Table
          label="Groups"
          heads={[
            'Group',
            number('Lag'),
            number('In flight'),
            number('Redelivered'),
            number('Answered'),
            number('Oldest'),
            number('Empty in'),
            number('Consumers'),
            'State',
          ]}
        >
          {topic.groupList.map((group) => (
            <tr key={group.name}>
              <td class="name">
                <a class="row-link" href={href(['topics', topic.name, group.name])}>
                  {group.name}
                </a>
              </td>
              <td class="number">{count(group.lag)}</td>
              <td class="number">{count(group.inFlight)}</td>
              <td class="number">{count(group.redelivered)}</td>
              <td class="number">{rate(group.ackedPerSecond)}</td>
              <td class="number">
                <For ms={group.oldestAgeMs} />
              </td>
              <td class="number">
                <For ms={group.lag === 0 ? null : group.timeToEmptyMs} />
              </td>
              <td class="number">{group.consumers}</td>
              <td>
                <GroupState group={group} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

function Settings({
  topic: { config, subjects, createdMs, expiring },
}: {
  readonly topic: TopicDetailsJson;
}): VNode {
  const whenFull = {
    'drop-oldest': 'drops its oldest messages',
    reject: 'refuses publishes',
    wait: 'lets publishers wait',
  }[config.overflow];
  const isLimited = config.messagesMax !== undefined || config.bytesMax !== undefined;
  return (
    <dl class="facts">
      <Fact name="Messages at most">{config.messagesMax && count(config.messagesMax)}</Fact>
      <Fact name="Bytes at most">{config.bytesMax && bytes(config.bytesMax)}</Fact>
      <Fact name="Age at most">{config.ageMsMax && duration(config.ageMsMax)}</Fact>
      <Fact name="Messages per key">{config.messagesPerKeyMax && count(config.messagesPerKeyMax)}</Fact>
      <Fact name="When full">{isLimited ? whenFull : 'has no limit but the disk'}</Fact>
      <Fact name="Rate">{config.publishRate && `${rate(config.publishRate.perSecond)} at most`}</Fact>
      <Fact name="Subjects">{subjects.join(', ')}</Fact>
      <Fact name="Priorities">{config.priorities}</Fact>
      <Fact name="Expiring messages">{expiring > 0 && count(expiring)}</Fact>
      <Fact name="Created">{absolute(createdMs)}</Fact>
    </dl>
  );
}

function Partitions({ topic }: { readonly topic: TopicDetailsJson }): VNode {
  return (
    <section>
      <h2>Partitions</h2>
      <Table
        label="Partitions"
        heads={[
          number('Partition'),
          number('First offset'),
          number('Next offset'),
          number('Messages'),
          number('Size'),
        ]}
      >
        {topic.partitionList.slice(0, 200).map((partition) => (
          <tr key={partition.index}>
            <td class="number">{partition.index}</td>
            <td class="number">{count(partition.firstOffset)}</td>
            <td class="number">{count(partition.nextOffset)}</td>
            <td class="number">{count(partition.messages)}</td>
            <td class="number">{bytes(partition.bytes)}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
