// Publish and subscribe, in two ways: stored, where each group reads everything at its own pace, and live,
// for the current subscribers.
//
// node dist/examples/pub-sub.js

import { open } from '../src/index.ts'; // in your project: from 'pillarbox'

await using box = await open();

// Stored: a topic keeps its messages, each group has a position of its own.
const readings = await box.topic('readings', { messagesMax: 1000 });
await readings.publishMessages([
  { key: 'kitchen.temperature', value: 21.5 },
  { key: 'kitchen.humidity', value: 40 },
  { key: 'garden.temperature', value: 12 },
]);

const everything = await readings.group('archive');
everything.consume((message) => console.log(`archive: ${message.key} ${String(message.value)}`));
await everything.drained();

const temperatures = await readings.group('thermostat', { filter: '*.temperature' });
temperatures.consume((message) => console.log(`thermostat: ${message.key} ${String(message.value)}`));
await temperatures.drained();

// Browsing needs no group and leaves no trace.
for await (const message of readings.browse({ start: { offset: 2 } })) console.log(`browsed: ${message.key}`);

// Live: never stored, at most once. Members of one queue share.
const alarms = box.live.subscribe('alarm.*');
console.log(`${box.live.publish('alarm.smoke', { floor: 3 })} listener heard the alarm`);
for await (const alarm of alarms) {
  console.log(`${alarm.subject}: ${JSON.stringify(alarm.value)}`);
  break;
}
