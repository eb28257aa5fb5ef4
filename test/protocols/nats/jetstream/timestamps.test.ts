import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestJetStream } from './kit.ts';

// Kafka clients choose the timestamps of their messages, and any 64-bit number is one.
for (const timestampMs of [-1, 253402300800000, 8.64e15 + 2, 2 ** 62, -(2 ** 62)]) {
  test(`a message with timestamp ${timestampMs} is delivered, shown and given up like any other`, async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'], allow_direct: true });
    await js.addConsumer('S', 'c');
    const topic = js.kit.broker.topic('S')!;
    await topic.send({ key: 's.a', value: 'x', timestampMs });
    const inbox = js.pull('S', 'c', '1');
    await js.settle();
    const tokens = inbox.seen[0]!.reply!.split('.');
    assert.match(tokens[tokens.length - 2]!, /^-?\d+$/, tokens.join(' '));
    const { message } = await js.api('STREAM.MSG.GET.S', { seq: 1 });
    assert.match(message.time, /^\d{4}-/);
    const { state } = await js.api('STREAM.INFO.S');
    assert.match(state.first_ts, /^\d{4}-/);
    const group = await topic.createGroup({ name: 'g', deadLetter: 'dead' });
    js.kit.attach(group);
    await js.settle();
    await js.restart();
    const again = js.kit.broker.topic('S')!.groups.get('g')!;
    js.kit.attach(again);
    await js.settle();
    again.reject(0, 0, 'no');
    await js.settle();
    assert.equal(js.kit.broker.topic('dead')?.count, 1);
  });
}
