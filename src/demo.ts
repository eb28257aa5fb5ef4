import { open, VirtualClock, type BoxEvent, type Box, type Delivery } from './embedded/index.ts';

/**
 * The usual tutorial, on a broker inside this process. Its data is in memory and its clock moves only when
 * told, so that nothing waits and every run prints the same lines.
 */
export async function runDemo(write: (line: string) => void): Promise<void> {
  const clock = new VirtualClock();
  await using box = await open({ clock });
  write('Pillarbox demo. The broker runs inside this process, in memory; its clock moves only when told.');
  for (const chapter of [aFailure, aPoisonMessage, twoGroups, twoConsumers]) {
    write('');
    await chapter({ box, clock, write });
  }
  write('');
  write('That was all. To start a broker that NATS clients can use: npm start');
}

interface Stage {
  readonly box: Box;
  readonly clock: VirtualClock;
  readonly write: (line: string) => void;
}

async function aFailure({ box, clock, write }: Stage): Promise<void> {
  write('1. Three messages, of which the second fails once');
  const orders = await box.topic('orders', { retention: 'queue' });
  const kitchen = await orders.group('kitchen', { backoffMs: [500], backoffJitter: 0 });
  for (const value of ['tea', 'milk', 'honey']) {
    const { offset } = await orders.publish(value);
    write(`   published ${value}, which got offset ${offset}`);
  }
  let serveHoney = (): void => {};
  const honeyIsServed = new Promise<void>((resolve) => (serveHoney = resolve));
  await using _ = kitchen.consume((message) => {
    if (message.value === 'milk' && message.deliveries === 1) fail(write, message, 'the fridge is locked');
    write(`   kitchen   got ${told(message)}: done`);
    if (message.value === 'honey') serveHoney();
  });
  await honeyIsServed;
  pass(clock, write, 500);
  await kitchen.drained();
  write(`   the topic holds ${orders.count} messages: what every group has acked leaves a queue`);
}

async function aPoisonMessage({ box, clock, write }: Stage): Promise<void> {
  write('2. A poison message ends in the dead-letter topic after three attempts');
  const orders = await box.topic('orders');
  const kitchen = await orders.group('kitchen', { maxDeliver: 3, backoffMs: [1_000, 10_000] });
  let knowsSand = false;
  await using _ = kitchen.consume((message) => {
    if (!knowsSand) fail(write, message, 'nobody eats that');
    write(`   kitchen   got ${told(message)}: done`);
  });
  const failures = [1, 2, 3].map((attempt) =>
    happens(box, (event) => event.kind === 'nacked' && event.deliveries === attempt),
  );
  await orders.publish('sand', { key: 'table.7', headers: { Waiter: 'Kim' } });
  await failures[0];
  pass(clock, write, 1_000);
  await failures[1];
  pass(clock, write, 10_000);
  await failures[2];
  await kitchen.drained();

  const { deadLetters } = kitchen;
  write(`   ${deadLetters.topic} holds ${deadLetters.count} message:`);
  for await (const letter of deadLetters.browse()) {
    write(`     value ${String(letter.value)}`);
    for (const [name, value] of letter.headers)
      write(`     ${name}: ${name.endsWith('Time') ? '(a time)' : value}`);
  }
  write('   somebody teaches the kitchen what sand is for, and redrives');
  knowsSand = true;
  await deadLetters.redrive();
  await kitchen.drained();
  write(`   ${deadLetters.topic} holds ${deadLetters.count} messages`);
}

async function twoGroups({ box, write }: Stage): Promise<void> {
  write('3. Two groups each get everything');
  const news = await box.topic('news');
  const [paper, radio] = [await news.group('paper'), await news.group('radio')];
  await news.publishBatch(['rain', 'wind', 'sun']);
  for (const group of [paper, radio]) {
    await using _ = group.consume((message) => write(`   ${group.name}     got ${told(message)}`));
    await group.drained();
  }
}

async function twoConsumers({ box, write }: Stage): Promise<void> {
  write('4. Two consumers of one group share');
  const news = await box.topic('news');
  const printers = await news.group('printers');
  const consume = (name: string): AsyncDisposable =>
    printers.consume((message) => write(`   ${name}       got ${told(message)}`));
  await using _ann = consume('ann');
  await using _bob = consume('bob');
  await printers.drained();
}

function told({ value, deliveries }: Delivery<unknown>): string {
  return `${String(value)}, delivery ${deliveries}`;
}

function fail(write: Stage['write'], message: Delivery<unknown>, reason: string): never {
  write(`   kitchen   got ${told(message)}: fails, ${reason}`);
  throw new Error(reason);
}

function pass(clock: VirtualClock, write: Stage['write'], ms: number): void {
  write(`             … ${ms / 1000} s later`);
  clock.advance(ms);
}

/** Resolves at the next event of the box that satisfies `is`. */
function happens(box: Box, is: (event: BoxEvent) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = box.watch((event) => {
      if (!is(event)) return;
      stop();
      resolve();
    });
  });
}
