/**
 * Transcripts of the NATS core protocol: the bytes a client sends and the bytes nats-server answers with.
 * Every exchange ends with a PING, which shows that the connection lives and that nothing else was sent.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parallel, useServer, WireClient } from '../../support/index.ts';
import { lines, shakeHands } from './handshake.ts';

describe('NATS wire protocol', parallel, () => {
  const server = useServer();

  const transcript = (name: string, sent: string, expected: string, connect?: object): void => {
    test(name, async () => {
      using client = await shakeHands(server().natsPort, connect);
      await client.exchange(`${sent}PING\r\n`, `${expected}PONG\r\n`);
    });
  };

  describe('INFO and CONNECT', parallel, () => {
    test('INFO is the first line and has the members that clients depend on', async () => {
      using client = await WireClient.open(server().natsPort);
      const line = await client.line();
      assert.match(line, /^INFO \{.*\} ?$/);
      const info = JSON.parse(line.slice('INFO '.length)) as Record<string, unknown>;
      assert.equal(info['proto'], 1);
      assert.equal(info['headers'], true);
      assert.equal(info['jetstream'], true);
      assert.equal(info['max_payload'], 1024 * 1024);
      assert.equal(info['port'], server().natsPort);
      assert.equal(info['client_ip'], '127.0.0.1');
      assert.equal(typeof info['client_id'], 'number');
      for (const field of ['server_id', 'server_name', 'host'])
        assert.ok(info[field], `INFO has no ${field}`);
      assert.match(String(info['version']), /^\d+\.\d+\.\d+/);
      assert.notEqual(info['auth_required'], true);
      assert.notEqual(info['tls_required'], true);
    });

    test('the first PONG after CONNECT is followed by another INFO, for clients that take one', async () => {
      using client = await WireClient.open(server().natsPort);
      await client.line();
      client.send(lines('CONNECT {"verbose":false,"protocol":1}', 'PING'));
      assert.equal(await client.line(), 'PONG');
      const info = JSON.parse((await client.line()).slice('INFO '.length)) as Record<string, unknown>;
      assert.equal(info['connect_info'], true);
      assert.equal(info['remote_account'], '$G');
      assert.equal(typeof info['api_lvl'], 'number');
      await client.exchange('PING\r\n', 'PONG\r\n');
    });

    test('client ids differ', async () => {
      const readId = async (): Promise<unknown> => {
        using client = await WireClient.open(server().natsPort);
        return (JSON.parse((await client.line()).slice('INFO '.length)) as { client_id: number }).client_id;
      };
      assert.notEqual(await readId(), await readId());
    });

    test('an empty CONNECT means verbose', async () => {
      using client = await WireClient.open(server().natsPort);
      await client.line();
      await client.exchange('CONNECT {}\r\nPING\r\n', '+OK\r\nPONG\r\n');
    });

    test('a client that never sends CONNECT is served, verbosely', async () => {
      using client = await WireClient.open(server().natsPort);
      await client.line();
      await client.exchange('PING\r\n', 'PONG\r\n');
      await client.exchange(
        'SUB w.no.connect 1\r\nPUB w.no.connect 2\r\nhi\r\n',
        '+OK\r\n+OK\r\nMSG w.no.connect 1 2\r\nhi\r\n',
      );
    });

    transcript(
      'a second CONNECT changes the options',
      lines('CONNECT {"verbose":true}', 'SUB w.again 1'),
      '+OK\r\n+OK\r\n',
    );
    transcript('unknown CONNECT fields are ignored', lines('CONNECT {"verbose":false,"bogus":[1]}'), '');
    transcript(
      'credentials nobody asked for are ignored',
      lines('CONNECT {"verbose":false,"user":"a","pass":"b"}'),
      '',
    );
    transcript(
      'verbose answers each operation but PING with +OK, a PUB before the message it causes',
      lines(
        'SUB w.verbose 1',
        'PUB w.verbose 2',
        'hi',
        'HPUB w.verbose 12 12',
        'NATS/1.0',
        '',
        '',
        'UNSUB 1',
        'UNSUB 99',
      ),
      lines(
        '+OK',
        '+OK',
        'MSG w.verbose 1 2',
        'hi',
        '+OK',
        'HMSG w.verbose 1 12 12',
        'NATS/1.0',
        '',
        '',
        '+OK',
        '+OK',
      ),
      { verbose: true },
    );
    transcript('INFO, +OK and PONG from a client are ignored', lines('INFO {}', '+OK', 'PONG'), '');
  });

  describe('lines', parallel, () => {
    transcript(
      'verbs are case-insensitive',
      lines('Sub w.case 1', 'pUb w.case 2', 'hi', 'unsub 1', 'pub w.case 0', ''),
      lines('MSG w.case 1 2', 'hi'),
    );
    transcript(
      'arguments are separated by runs of spaces and tabs',
      lines('SUB  w.blank \t q\t1  ', 'PUB\tw.blank\t 2 \t', 'hi', 'PING '),
      lines('MSG w.blank 1 2', 'hi', 'PONG'),
    );
    transcript('what follows PING on its line is ignored', lines('PING  what ever'), lines('PONG'));
    transcript(
      'a bare LF ends a control line',
      'SUB w.lf 1\nPING\nPUB w.lf 2\nhi\r\n',
      lines('PONG', 'MSG w.lf 1 2', 'hi'),
    );
    transcript(
      'a sid is any token',
      lines('SUB w.sid sid.x-1', 'PUB w.sid 0', ''),
      lines('MSG w.sid sid.x-1 0', ''),
    );
    transcript(
      'payloads may hold CRLF and any byte',
      `SUB w.bytes 1\r\nPUB w.bytes 6\r\n\r\n\0\xff\r\n\r\n`,
      'MSG w.bytes 1 6\r\n\r\n\0\xff\r\n\r\n',
    );
    transcript('an empty payload', lines('SUB w.empty 1', 'PUB w.empty 0', ''), lines('MSG w.empty 1 0', ''));
    transcript(
      'a reply subject is passed on',
      lines('SUB w.reply 1', 'PUB w.reply some.where 2', 'hi'),
      lines('MSG w.reply 1 some.where 2', 'hi'),
    );
    transcript(
      'PONG comes after all that was caused before the PING',
      lines('SUB w.order 1', 'PUB w.order 1', '1', 'PING', 'PUB w.order 1', '2'),
      lines('MSG w.order 1 1', '1', 'PONG', 'MSG w.order 1 1', '2'),
    );
    transcript('a subject may be a control line long', lines(`SUB ${'a'.repeat(4080)} 1`), '');

    test('a payload of exactly max_payload is delivered', async () => {
      using client = await shakeHands(server().natsPort);
      const payload = 'x'.repeat(1024 * 1024);
      await client.exchange(
        lines('SUB w.max 1', `PUB w.max ${payload.length}`, payload, 'PING'),
        lines(`MSG w.max 1 ${payload.length}`, payload, 'PONG'),
      );
    });

    test('frames may be split at every byte', async () => {
      const sent = lines(
        'SUB w.split.* q 9',
        'PUB w.split.a re.ply 7',
        'pay\r\nld',
        'HPUB w.split.b 22 24',
        'NATS/1.0',
        'Foo: Bar',
        '',
        'hi',
        'UNSUB 9',
        'PING',
      );
      const expected = lines(
        'MSG w.split.a 9 re.ply 7',
        'pay\r\nld',
        'HMSG w.split.b 9 22 24',
        'NATS/1.0',
        'Foo: Bar',
        '',
        'hi',
        'PONG',
      );
      using client = await shakeHands(server().natsPort);
      for (let cut = 1; cut < sent.length; cut += 1) {
        client.send(sent.slice(0, cut));
        // Another connection's round trip: by then the server has seen the first part on its own.
        await new Promise((resolve) => setImmediate(resolve));
        client.send(sent.slice(cut));
        await client.expect(expected);
      }
    });

    test('one byte at a time', async () => {
      using client = await shakeHands(server().natsPort);
      for (const byte of lines(
        'SUB w.bytewise 1',
        'HPUB w.bytewise r 14 16',
        'NATS/1.0',
        '',
        '\r\nhi',
        'PING',
      )) {
        client.send(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await client.expect(lines('HMSG w.bytewise 1 r 14 16', 'NATS/1.0', '', '\r\nhi', 'PONG'));
    });
  });

  describe('headers', parallel, () => {
    transcript(
      'HPUB arrives as HMSG, byte for byte',
      lines('SUB w.h 1', 'HPUB w.h 30 32', 'NATS/1.0', 'fOO: a', 'fOO:  b ', '', 'hi'),
      lines('HMSG w.h 1 30 32', 'NATS/1.0', 'fOO: a', 'fOO:  b ', '', 'hi'),
    );
    transcript(
      'HPUB with a reply subject',
      lines('SUB w.hr 1', 'HPUB w.hr in.box 12 14', 'NATS/1.0', '', 'hi'),
      lines('HMSG w.hr 1 in.box 12 14', 'NATS/1.0', '', 'hi'),
    );
    transcript(
      'HPUB without headers is a plain message',
      lines('SUB w.h0 1', 'HPUB w.h0 0 2', 'hi'),
      lines('MSG w.h0 1 2', 'hi'),
    );

    test('a client without headers gets the payload only', async () => {
      using plain = await shakeHands(server().natsPort, { headers: false, no_responders: false });
      using client = await shakeHands(server().natsPort);
      await plain.exchange(lines('SUB w.plain 1', 'PING'), lines('PONG'));
      client.send(lines('HPUB w.plain 12 14', 'NATS/1.0', '', 'hi'));
      await plain.expect(lines('MSG w.plain 1 2', 'hi'));
    });
  });
});
