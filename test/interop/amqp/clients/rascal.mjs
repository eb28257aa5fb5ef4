/** A vhost of rascal with a publication, a subscription, its retries and dead letters: rascal.mjs MODULES AMQP_PORT. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [modules, port] = process.argv.slice(2);
const { BrokerAsPromised: Broker, withDefaultConfig } = createRequire(join(modules, 'x.js'))('rascal');

const broker = await Broker.create(
  withDefaultConfig({
    vhosts: {
      '/': {
        connection: { url: `amqp://guest:guest@127.0.0.1:${port}/` },
        exchanges: ['rascal-orders', 'rascal-retry'],
        queues: {
          'rascal-jobs': {
            options: {
              arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'rascal-dead' },
            },
          },
          'rascal-dead': {},
        },
        bindings: ['rascal-orders[jobs.#] -> rascal-jobs'],
        publications: { job: { exchange: 'rascal-orders', routingKey: 'jobs.new' } },
        subscriptions: {
          jobs: { queue: 'rascal-jobs', prefetch: 3 },
          dead: { queue: 'rascal-dead' },
        },
      },
    },
  }),
);
broker.on('error', (error) => console.error(error));

const handled = [];
const jobs = await broker.subscribe('jobs');
jobs.on('message', (_, { n }, ackOrNack) => {
  handled.push(n);
  const isFirst = handled.filter((seen) => seen === n).length === 1;
  if (n === 2) ackOrNack(new Error('never'));
  else if (n === 3 && isFirst) ackOrNack(new Error('again'), { strategy: 'nack', requeue: true });
  else if (n === 4 && isFirst)
    ackOrNack(new Error('later'), { strategy: 'republish', attempts: 3, defer: 50 });
  else ackOrNack();
});
jobs.on('error', (error) => console.error(error));

const letters = [];
const dead = await broker.subscribe('dead');
dead.on('message', (message, { n }, ackOrNack) => {
  letters.push([n, message.properties.headers['x-death'][0].reason]);
  ackOrNack();
});

for (let n = 1; n <= 5; n++) {
  const publication = await broker.publish('job', { n });
  await once(publication, 'success');
}
const endMs = Date.now() + 20_000;
while ((handled.length < 7 || letters.length < 1) && Date.now() < endMs)
  await new Promise((resolve) => setTimeout(resolve, 20));
assert.deepEqual(
  handled.toSorted((a, b) => a - b),
  [1, 2, 3, 3, 4, 4, 5],
);
assert.deepEqual(letters, [[2, 'rejected']]);
await broker.shutdown();
console.log('done');
