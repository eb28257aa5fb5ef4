import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runDemo } from '../src/demo.ts';

const expected = `Pillarbox demo. The broker runs inside this process, in memory; its clock moves only when told.

1. Three messages, of which the second fails once
   published tea, which got offset 0
   published milk, which got offset 1
   published honey, which got offset 2
   kitchen   got tea, delivery 1: done
   kitchen   got milk, delivery 1: fails, the fridge is locked
   kitchen   got honey, delivery 1: done
             … 0.5 s later
   kitchen   got milk, delivery 2: done
   the topic holds 0 messages: what every group has acked leaves a queue

2. A poison message ends in the dead-letter topic after three attempts
   kitchen   got sand, delivery 1: fails, nobody eats that
             … 1 s later
   kitchen   got sand, delivery 2: fails, nobody eats that
             … 10 s later
   kitchen   got sand, delivery 3: fails, nobody eats that
   orders-kitchen-dlq holds 1 message:
     value sand
     Waiter: Kim
     Pillarbox-Dead-Letter-Topic: orders
     Pillarbox-Dead-Letter-Group: kitchen
     Pillarbox-Dead-Letter-Partition: 0
     Pillarbox-Dead-Letter-Offset: 3
     Pillarbox-Dead-Letter-Key: table.7
     Pillarbox-Dead-Letter-Cause: max-deliveries: nobody eats that
     Pillarbox-Dead-Letter-Deliveries: 3
     Pillarbox-Dead-Letter-First-Time: (a time)
     Pillarbox-Dead-Letter-Time: (a time)
   somebody teaches the kitchen what sand is for, and redrives
   kitchen   got sand, delivery 1: done
   orders-kitchen-dlq holds 0 messages

3. Two groups each get everything
   paper     got rain, delivery 1
   paper     got wind, delivery 1
   paper     got sun, delivery 1
   radio     got rain, delivery 1
   radio     got wind, delivery 1
   radio     got sun, delivery 1

4. Two consumers of one group share
   ann       got rain, delivery 1
   bob       got wind, delivery 1
   ann       got sun, delivery 1

That was all. To start a broker that NATS clients can use: npm start`;

test('the demo tells the same every time', async () => {
  for (let run = 0; run < 2; run++) {
    const lines: string[] = [];
    await runDemo((line) => lines.push(line));
    assert.equal(lines.join('\n'), expected);
  }
});
