/**
 * Transcripts of subscriptions: which client gets a message, which does not, and which subjects are valid.
 * See wire.test.ts.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type WireClient, parallel, useServer } from '../../support/index.ts';
import { lines, shakeHands } from './handshake.ts';

describe('NATS wire protocol: subscriptions', parallel, () => {
  const server = useServer();

  const transcript = (name: string, sent: string, expected: string, connect?: object): void => {
    test(name, async () => {
      using client = await shakeHands(server().natsPort, connect);
      await client.exchange(`${sent}PING\r\n`, `${expected}PONG\r\n`);
    });
  };

  describe('SUB and UNSUB', parallel, () => {
    transcript('UNSUB ends a subscription', lines('SUB w.u 1', 'UNSUB 1', 'PUB w.u 0', ''), '');
    transcript(
      'UNSUB with a maximum counts from the SUB',
      lines('SUB w.u1 1', 'PUB w.u1 1', '1', 'UNSUB 1 2', 'PUB w.u1 1', '2', 'PUB w.u1 1', '3'),
      lines('MSG w.u1 1 1', '1', 'MSG w.u1 1 1', '2'),
    );
    transcript(
      'UNSUB with a maximum already reached ends it at once',
      lines('SUB w.u2 1', 'PUB w.u2 1', '1', 'PUB w.u2 1', '2', 'UNSUB 1 2', 'PUB w.u2 1', '3'),
      lines('MSG w.u2 1 1', '1', 'MSG w.u2 1 1', '2'),
    );
    transcript(
      'UNSUB with a maximum of 0, or one that is no number, ends it at once',
      lines('SUB w.u3 1', 'SUB w.u3 2', 'UNSUB 1 0', 'UNSUB 2 x', 'PUB w.u3 0', ''),
      '',
    );
    transcript('UNSUB of an unknown sid is no error', lines('UNSUB 77'), '');
    transcript(
      'a sid in use keeps its subscription',
      lines('SUB w.s1 1', 'SUB w.s2 1', 'PUB w.s2 1', '2', 'PUB w.s1 1', '1'),
      lines('MSG w.s1 1 1', '1'),
    );
    transcript(
      'a sid is free again after UNSUB',
      lines('SUB w.s3 1', 'UNSUB 1', 'SUB w.s4 1', 'PUB w.s4 1', '2'),
      lines('MSG w.s4 1 1', '2'),
    );
    transcript('echo: false keeps own messages away', lines('SUB w.echo 1', 'PUB w.echo 0', ''), '', {
      echo: false,
    });

    test('each matching subscription gets its own copy, a queue group one', async () => {
      using client = await shakeHands(server().natsPort);
      client.send(
        lines(
          'SUB w.copies.> 1',
          'SUB w.copies.* 2',
          'SUB w.*.b 3',
          'SUB w.copies.b q 4',
          'SUB w.copies.b q 5',
          'SUB w.copies.b r 6',
          'SUB w.copies.a 7',
          'PUB w.copies.b 0',
          '',
          'PING',
        ),
      );
      const received = (await client.readThrough('PONG\r\n'))
        .split('\r\n')
        .filter((line) => line.startsWith('MSG'));
      const sids = received.map((line) => line.split(' ')[2] ?? '').sort();
      const member = sids.includes('4') ? '4' : '5';
      assert.deepEqual(sids, ['1', '2', '3', member, '6']);
    });

    test('a queue group spreads messages over its members, each to one', async () => {
      using first = await shakeHands(server().natsPort);
      using second = await shakeHands(server().natsPort);
      using publisher = await shakeHands(server().natsPort);
      await first.exchange(lines('SUB w.queue workers 1', 'PING'), lines('PONG'));
      await second.exchange(lines('SUB w.queue workers 1', 'PING'), lines('PONG'));
      const count = 200;
      await publisher.exchange(`${lines('PUB w.queue 0', '').repeat(count)}PING\r\n`, 'PONG\r\n');
      const countCopies = async (client: WireClient): Promise<number> => {
        client.send('PING\r\n');
        return (await client.readThrough('PONG\r\n')).split('MSG w.queue').length - 1;
      };
      const [one, two] = [await countCopies(first), await countCopies(second)];
      assert.equal(one + two, count);
      assert.ok(one > 0 && two > 0, `shared ${one} : ${two}`);
    });

    test('a subscription ends with its connection', async () => {
      using publisher = await shakeHands(server().natsPort);
      using subscriber = await shakeHands(server().natsPort);
      await subscriber.exchange(lines('SUB w.gone 1', 'PING'), lines('PONG'));
      subscriber.end();
      await subscriber.closed();
      // 503 says that the subscriber is gone; the server may need a moment to notice.
      publisher.send(lines('SUB w.in 1'));
      for (;;) {
        publisher.send(lines('PUB w.gone w.in 0', '', 'PING'));
        if ((await publisher.readThrough('PONG\r\n')).includes('503')) break;
      }
    });
  });

  describe('no responders', parallel, () => {
    const nobody = 'HMSG w.inbox.1 1 40 40\r\nNATS/1.0 503\r\nNats-Subject: w.nobody\r\n\r\n\r\n';
    transcript(
      'a request nobody listens to is answered with 503 and the subject',
      lines('SUB w.inbox.* 1', 'PUB w.nobody w.inbox.1 2', 'hi'),
      nobody,
    );
    transcript(
      'with HPUB too',
      lines('SUB w.inbox.* 1', 'HPUB w.nobody w.inbox.1 12 14', 'NATS/1.0', '', 'hi'),
      nobody,
    );
    transcript(
      'not when CONNECT did not ask for it',
      lines('SUB w.inbox.* 1', 'PUB w.nobody w.inbox.1 2', 'hi'),
      '',
      { no_responders: false },
    );
    transcript(
      'not when the publisher does not listen to the reply',
      lines('PUB w.nobody w.inbox.1 2', 'hi'),
      '',
    );
    transcript(
      'with echo: false the own subscription is no responder',
      lines('SUB w.inbox.* 1', 'SUB w.myself 2', 'PUB w.myself w.inbox.1 2', 'hi'),
      nobody.replaceAll('w.nobody', 'w.myself'),
      { echo: false },
    );
  });

  describe('subjects', parallel, () => {
    for (const subject of ['a..b', '.a', 'a.', '>.a', 'w.>.b', '.', '..']) {
      transcript(
        `SUB to ${subject} is an invalid subject`,
        lines(`SUB ${subject} 1`),
        lines("-ERR 'Invalid Subject'"),
      );
    }
    for (const subject of ['w.foo*', 'w.foo>', 'w.a*b', 'w.>>', 'w.caf\xc3\xa9']) {
      transcript(
        `${subject} is a literal subject`,
        lines(`SUB ${subject} 1`, `PUB ${subject} 0`, '', 'PUB w.foox 0', ''),
        lines(`MSG ${subject} 1 0`, ''),
      );
    }
    transcript(
      '> matches one token or more',
      lines('SUB w.gt.> 1', 'PUB w.gt 0', '', 'PUB w.gt.a 0', '', 'PUB w.gt.a.b 0', ''),
      lines('MSG w.gt.a 1 0', '', 'MSG w.gt.a.b 1 0', ''),
    );
    transcript(
      '* matches exactly one token',
      lines('SUB w.st.*.z 1', 'PUB w.st.z 0', '', 'PUB w.st.a.z 0', '', 'PUB w.st.a.b.z 0', ''),
      lines('MSG w.st.a.z 1 0', ''),
    );
    transcript(
      'subjects are case-sensitive',
      lines('SUB w.Case 1', 'PUB w.case.x 0', '', 'PUB w.Case 0', ''),
      lines('MSG w.Case 1 0', ''),
    );
    transcript(
      'a publish to a wildcard is routed literally',
      lines('SUB w.lit.> 1', 'PUB w.lit.* 0', ''),
      lines('MSG w.lit.* 1 0', ''),
    );
    transcript(
      'an invalid publish subject matches nobody',
      lines('SUB w.bad.> 1', 'SUB w.bad 2', 'PUB w.bad..x 0', '', 'PUB w.bad. 0', ''),
      '',
    );
    for (const subject of ['w.p..b', '.w', 'w.']) {
      transcript(
        `pedantic: PUB to ${subject} is an invalid publish subject`,
        lines(`PUB ${subject} 0`, ''),
        lines("-ERR 'Invalid Publish Subject'"),
        { pedantic: true },
      );
    }
    transcript(
      'pedantic: PUB to a wildcard is an error',
      lines('PUB w.p.* 0', ''),
      lines("-ERR 'Invalid Publish Subject'"),
      { pedantic: true },
    );
  });
});
