/** @golevelup/nestjs-rabbitmq, subscribers and calls by its decorators: golevelup.mjs MODULES AMQP_PORT. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, port] = process.argv.slice(2);
const { resolve } = createRequire(join(modules, 'x.js'));
const load = (name) => import(pathToFileURL(resolve(name)).href);

await load('reflect-metadata');
const { Injectable, Module } = await load('@nestjs/common');
const { NestFactory } = await load('@nestjs/core');
const { AmqpConnection, Nack, RabbitMQModule, RabbitRPC, RabbitSubscribe } = await load(
  '@golevelup/nestjs-rabbitmq',
);

const seen = [];

class Handlers {
  created({ name }, message) {
    const { redelivered } = message.fields;
    seen.push([name, redelivered]);
    if (name === 'again' && !redelivered) return new Nack(true);
    if (name === 'never') return new Nack();
    return undefined;
  }

  dead({ name }, message) {
    seen.push([name, message.properties.headers['x-death'][0].reason]);
  }

  add([a, b]) {
    return a + b;
  }
}
function decorate(method, decorator) {
  const descriptor = Object.getOwnPropertyDescriptor(Handlers.prototype, method);
  decorator(Handlers.prototype, method, descriptor);
}
decorate(
  'created',
  RabbitSubscribe({
    exchange: 'golevelup-users',
    routingKey: 'users.*',
    queue: 'golevelup-created',
    queueOptions: { deadLetterExchange: 'golevelup-dead' },
  }),
);
decorate(
  'dead',
  RabbitSubscribe({ exchange: 'golevelup-dead', routingKey: '#', queue: 'golevelup-letters' }),
);
decorate('add', RabbitRPC({ exchange: 'golevelup-calls', routingKey: 'add', queue: 'golevelup-add' }));
Injectable()(Handlers);

// Modules of Nest are empty classes.
// oxlint-disable-next-line typescript/no-extraneous-class
class App {}
Module({
  imports: [
    RabbitMQModule.forRoot({
      uri: `amqp://guest:guest@127.0.0.1:${port}`,
      exchanges: [
        { name: 'golevelup-users', type: 'topic' },
        { name: 'golevelup-dead', type: 'topic' },
        { name: 'golevelup-calls', type: 'direct' },
      ],
    }),
  ],
  providers: [Handlers],
})(App);

const app = await NestFactory.createApplicationContext(App, { logger: ['error'] });
const connection = app.get(AmqpConnection);
for (const name of ['ann', 'again', 'never'])
  await connection.publish('golevelup-users', 'users.created', { name });
const sum = await connection.request({
  exchange: 'golevelup-calls',
  routingKey: 'add',
  payload: [2, 3],
  timeout: 20_000,
});
assert.equal(sum, 5);
const endMs = Date.now() + 20_000;
while (seen.length < 5 && Date.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 20));
assert.deepEqual(seen.map(String).toSorted(), [
  'again,false',
  'again,true',
  'ann,false',
  'never,false',
  'never,rejected',
]);
await app.close();
console.log('done');
