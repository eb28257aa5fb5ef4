import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ServerJson } from '../../admin-api/index.ts';
import { ask } from '../api.ts';

/** What to do with a broker that has no topic yet. */
export function FirstSteps(): VNode {
  const [ports, setPorts] = useState<ServerJson['ports']>({});
  useEffect(() => {
    ask<ServerJson>('GET', '/api/v1/server').then(
      (server) => setPorts(server.ports),
      () => {},
    );
  }, []);
  const host = location.hostname;
  const commands = [
    [
      'the command line',
      'npx pillarbox topics create orders\nnpx pillarbox pub orders hello\nnpx pillarbox tail orders',
    ],
    ports['nats'] !== undefined && [
      'NATS',
      `nats -s nats://${host}:${ports['nats']} stream add orders --subjects 'orders.*' --defaults\nnats -s nats://${host}:${ports['nats']} pub orders.new hello`,
    ],
    ports['kafka'] !== undefined && ['Kafka', `echo hello | kcat -b ${host}:${ports['kafka']} -t orders -P`],
    ports['sqs'] !== undefined && [
      'SQS',
      `aws sqs create-queue --queue-name orders --endpoint-url http://${host}:${ports['sqs']}`,
    ],
  ].filter((each): each is string[] => Array.isArray(each));
  return (
    <section class="teach stack">
      <h2>There is no topic yet</h2>
      <p>
        A topic is made by its first use in most protocols. Paste one of these; the topic appears here by
        itself.
      </p>
      {commands.map(([title = '', text = '']) => (
        <div key={title}>
          <h3>With {title}</h3>
          <pre>{text}</pre>
        </div>
      ))}
    </section>
  );
}
