import type { VNode } from 'preact';
import type { ConsumerJson, GroupDetailsJson } from '../../admin-api/index.ts';
import { absolute, count, duration, rate } from '../format.ts';
import { Bar, Fact, Figure } from '../parts/fields.tsx';
import { GroupActions } from '../parts/group-actions.tsx';
import { History } from '../parts/history.tsx';
import { Problem } from '../parts/problem.tsx';
import { Ago, For } from '../parts/times.tsx';
import { href, type Route } from '../route.ts';
import { useNow, useWatch } from '../stream.ts';
import { GroupState, projectionOf } from '../parts/group-state.tsx';
import { number, Table } from '../parts/table.tsx';

/** A consumer that has had a message for longer than this, and for much longer than its peers, is slow. */
const slowMs = 10_000;

/** One group: how far it is behind, and who holds what. */
export function Group({ route: { path, query } }: { readonly route: Route }): VNode {
  const [, topic = '', name = ''] = path;
  const route = `/api/v1/topics/${encodeURIComponent(topic)}/groups/${encodeURIComponent(name)}`;
  const { value: group, error } = useWatch<GroupDetailsJson>(route);
  if (!group) return <Problem error={error} />;
  return (
    <>
      <div class="head">
        <h1>{name}</h1>
        <span class="muted">
          group of <a href={href(['topics', topic])}>{topic}</a>
        </span>
        <GroupState group={group} />
        <span class="end row">
          <GroupActions group={group} />
        </span>
      </div>
      <dl class="figures">
        <Figure name="Lag">{count(group.lag)}</Figure>
        <Figure name="In">{rate(group.inPerSecond)}</Figure>
        <Figure name="Answered">{rate(group.ackedPerSecond)}</Figure>
        <Figure name="In flight">{count(group.inFlight)}</Figure>
        <Figure name="Redelivered">{count(group.redelivered)}</Figure>
        <Figure name="Oldest">
          <For ms={group.oldestAgeMs} />
        </Figure>
        <Figure name="Empty in">
          <For ms={group.lag === 0 ? null : group.timeToEmptyMs} />
        </Figure>
      </dl>
      <History
        path={`${route}/history`}
        range={query.get('range') ?? 'hour'}
        out="answered"
        level="lag"
        projection={projectionOf(group)}
        words={
          group.timeToEmptyMs !== null && group.lag > 0
            ? `Empty in ${duration(group.timeToEmptyMs)} if rates stay.`
            : ''
        }
      />
      <Consumers group={group} />
      <section>
        <h2>Settings</h2>
        <Settings group={group} />
      </section>
    </>
  );
}

function Consumers({ group }: { readonly group: GroupDetailsJson }): VNode {
  const now = useNow();
  const { consumerList } = group;
  const heldMax = Math.max(1, ...consumerList.map(({ held }) => held));
  const ageOf = ({ heldSinceMs }: ConsumerJson): number => (heldSinceMs === null ? 0 : now - heldSinceMs);
  const ages = consumerList.map(ageOf).toSorted((a, b) => a - b);
  const median = ages[Math.floor((ages.length - 1) / 2)] ?? 0;
  const isSlow = (consumer: ConsumerJson): boolean =>
    ageOf(consumer) > slowMs && (consumerList.length === 1 || ageOf(consumer) > 3 * median);
  return (
    <section>
      <h2>Consumers</h2>
      {consumerList.length === 0 ? (
        <p class="muted">No consumer is attached now. Messages wait until one comes.</p>
      ) : (
        <Table
          label="Consumers"
          heads={[
            'Consumer',
            'Holds',
            number('Messages'),
            number('For'),
            number('Would take'),
            'Connection',
            'State',
          ]}
        >
          {consumerList.map((consumer, at) => (
            <tr key={at}>
              <td class="name">{consumer.member ?? consumer.label ?? 'unnamed'}</td>
              <td>
                <Bar value={consumer.held} max={heldMax} isSlow={isSlow(consumer)} />
              </td>
              <td class="number">{count(consumer.held)}</td>
              <td class="number">
                <For ms={consumer.heldSinceMs === null ? null : Math.max(0, ageOf(consumer))} />
              </td>
              <td class="number">{consumer.credit === null ? 'any' : count(consumer.credit)}</td>
              <td>
                {consumer.connection !== null && (
                  <a href={href(['connections'], { id: consumer.connection })}>{consumer.connection}</a>
                )}
              </td>
              <td>
                {isSlow(consumer) ? (
                  <span class="warning">▲ slow</span>
                ) : consumer.active ? (
                  'takes messages'
                ) : (
                  'stands by'
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

function Settings({ group: { config, ...group } }: { readonly group: GroupDetailsJson }): VNode {
  return (
    <dl class="facts">
      <Fact name="Filter">{config.filters.join(', ')}</Fact>
      <Fact name="Rate">{config.rate && `${rate(config.rate.perSecond)} at most`}</Fact>
      <Fact name="Concurrency">{config.concurrency && `${count(config.concurrency)} messages at once`}</Fact>
      <Fact name="In flight at most">{config.maxInFlight && count(config.maxInFlight)}</Fact>
      <Fact name="Answers">
        {config.ack === 'none' ? 'not expected' : `within ${duration(config.ackWaitMs)}`}
      </Fact>
      <Fact name="Deliveries at most">{config.maxDeliver}</Fact>
      <Fact name="Dead letters go to">
        {group.deadLetter !== null && (
          <a href={href(['dead-letters', group.deadLetter])}>{group.deadLetter}</a>
        )}
      </Fact>
      <Fact name="Order">{config.ordering === 'key' ? 'by key' : null}</Fact>
      <Fact name="Last delivery">{group.lastDeliveredMs !== null && <Ago ms={group.lastDeliveredMs} />}</Fact>
      <Fact name="Last answer">{group.lastAckMs !== null && <Ago ms={group.lastAckMs} />}</Fact>
      <Fact name="Created">{absolute(group.createdMs)}</Fact>
    </dl>
  );
}
