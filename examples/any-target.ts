// One handler on several targets: `node dist/examples/any-target.js memory: pillarbox://127.0.0.1:4222`.
import { connect, RejectError, RetryError } from '../src/client/index.ts';

const targets = process.argv.length > 2 ? process.argv.slice(2) : ['memory:'];

for (const target of targets) {
  await using client = await connect(target);
  const mails = await client.topic<{ to: string }>('mails', { retention: 'queue' });
  const senders = await mails.group('senders', { backoffMs: [10], maxDeliver: 3 });

  const done: string[] = [];
  await using _ = senders.consume(({ value, deliveries }) => {
    if (!value.to.includes('@')) throw new RejectError('no address');
    if (value.to.startsWith('bob') && deliveries === 1) throw new RetryError(20, 'his server is busy');
    done.push(value.to);
  });
  await mails.publishEach([{ to: 'ada@example.org' }, { to: 'bob@example.org' }, { to: 'nowhere' }]);
  while (done.length < 2 || (await senders.deadLetters.count()) < 1)
    await new Promise((resolve) => setTimeout(resolve, 10));

  console.log(`${new URL(target).protocol} sent to ${done.join(', ')}`);
  for await (const letter of senders.deadLetters.browse())
    console.log(`${new URL(target).protocol} set aside: ${letter.value.to} (${letter.origin.cause})`);
  await senders.deadLetters.purge();
}
