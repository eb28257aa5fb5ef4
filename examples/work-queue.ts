// A work queue: several workers share the jobs, a job that fails comes again, and one that keeps failing is
// set aside.
//
//   node dist/examples/work-queue.js

import { open, RejectError } from '../src/index.ts'; // in your project: from 'pillarbox'

await using box = await open(); // open({ dir: './data' }) keeps everything over a restart

// Under `queue` retention a message is deleted once it is acked.
const thumbnails = await box.topic('thumbnails', { retention: 'queue' });
const makers = await thumbnails.group('makers', { maxDeliver: 3, backoffMs: [10, 50] });

const made: string[] = [];
let diskIsFull = true;
const makeThumbnail = async (picture: string): Promise<void> => {
  if (picture.endsWith('.txt')) throw new RejectError('that is no picture');
  if (diskIsFull) {
    diskIsFull = false;
    throw new Error('the disk is full for a moment');
  }
  made.push(picture);
};

// Four jobs at a time. When the handler resolves, the message is acked; when it throws, the message comes
// again.
const subscription = makers.consume((message) => makeThumbnail(message.value as string), { concurrency: 4 });

await thumbnails.publishBatch(['sea.png', 'notes.txt', 'hills.png', 'town.png']);
await makers.drained();
await subscription.close();

console.log(`made ${made.length} thumbnails: ${made.sort().join(', ')}`);
console.log(`${thumbnails.count} jobs left`);
for await (const letter of makers.deadLetters.browse()) {
  console.log(`set aside: ${String(letter.value)} (${letter.origin?.cause})`);
}
