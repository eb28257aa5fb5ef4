/** NestJS's RMQ transport, a server with its handlers and a client: nest.mjs MODULES AMQP_PORT. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, port] = process.argv.slice(2);
const { resolve } = createRequire(join(modules, 'x.js'));
const load = (name) => import(pathToFileURL(resolve(name)).href);

await load('reflect-metadata');
const { Controller, Module } = await load('@nestjs/common');
const { NestFactory } = await load('@nestjs/core');
const { ClientProxyFactory, Ctx, EventPattern, MessagePattern, Payload, Transport } =
  await load('@nestjs/microservices');
const { firstValueFrom, lastValueFrom, toArray } = await load('rxjs');
const { from } = await load('rxjs');

/** Decorates a method, as `@decorator` before it does. */
function decorate(type, method, decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(type.prototype, method);
  for (const decorator of decorators) decorator(type.prototype, method, descriptor);
  Payload()(type.prototype, method, 0);
  Ctx()(type.prototype, method, 1);
  Object.defineProperty(type.prototype, method, descriptor);
}

const events = [];

class Handlers {
  sum(numbers) {
    return numbers.reduce((sum, n) => sum + n, 0);
  }

  count(upTo) {
    return from(Array.from({ length: upTo }, (_, at) => at + 1));
  }

  created(user, context) {
    const isAgain = context.getMessage().fields.redelivered;
    events.push([user.name, isAgain]);
    if (isAgain) context.getChannelRef().ack(context.getMessage());
    else context.getChannelRef().nack(context.getMessage());
  }
}
decorate(Handlers, 'sum', [MessagePattern('sum')]);
decorate(Handlers, 'count', [MessagePattern({ cmd: 'count' })]);
decorate(Handlers, 'created', [EventPattern('user.created')]);
Controller()(Handlers);

// Modules of Nest are empty classes.
// oxlint-disable-next-line typescript/no-extraneous-class
class App {}
Module({ controllers: [Handlers] })(App);

const urls = [`amqp://guest:guest@127.0.0.1:${port}`];
const transport = (queue, options = {}) => ({
  transport: Transport.RMQ,
  options: { urls, queue, ...options },
});

const calls = await NestFactory.createMicroservice(App, { ...transport('nest-calls'), logger: ['error'] });
await calls.listen();
const manual = await NestFactory.createMicroservice(App, {
  ...transport('nest-events', { noAck: false, prefetchCount: 5, queueOptions: { durable: true } }),
  logger: ['error'],
});
await manual.listen();

const caller = ClientProxyFactory.create(transport('nest-calls'));
assert.equal(await firstValueFrom(caller.send('sum', [1, 2, 3])), 6);
assert.deepEqual(await lastValueFrom(caller.send({ cmd: 'count' }, 3).pipe(toArray())), [1, 2, 3]);
const emitter = ClientProxyFactory.create(transport('nest-events', { queueOptions: { durable: true } }));
await lastValueFrom(emitter.emit('user.created', { name: 'ann' }), { defaultValue: undefined });
const endMs = Date.now() + 20_000;
while (events.length < 2 && Date.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 20));
assert.deepEqual(events, [
  ['ann', false],
  ['ann', true],
]);
await caller.close();
await emitter.close();
await calls.close();
await manual.close();
console.log('done');
