/**
 * Refusals of the server, in the words of nats-server; the connection is closed afterwards. If nats-server
 * closes without a word, an -ERR line of ours is welcome.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parallel, useServer, WireClient } from '../../support/index.ts';
import { lines, shakeHands } from './handshake.ts';

const UNKNOWN_OPERATION = "-ERR 'Unknown Protocol Operation'\r\n";
const PAYLOAD_VIOLATION = "-ERR 'Maximum Payload Violation'\r\n";
const CONTROL_LINE_EXCEEDED = "-ERR 'maximum control line exceeded'\r\n";
/** nats-server says nothing here. */
const ANY_ERROR_OR_NONE = /^(-ERR '[^']+'\r\n)?$/;

describe('NATS wire protocol: errors that close the connection', parallel, () => {
  const server = useServer();

  const closes = (name: string, sent: string, expected: string | RegExp, connect?: object): void => {
    test(name, async () => {
      using client = await shakeHands(server().natsPort, connect);
      client.send(sent);
      const rest = await client.closed();
      if (typeof expected === 'string') assert.equal(rest, expected);
      else assert.match(rest, expected);
    });
  };

  const closesAtOnce = (name: string, sent: string, expected: string | RegExp): void => {
    test(name, async () => {
      using client = await WireClient.open(server().natsPort);
      await client.line();
      client.send(sent);
      const rest = await client.closed();
      if (typeof expected === 'string') assert.equal(rest, expected);
      else assert.match(rest, expected);
    });
  };

  describe('unknown operations', parallel, () => {
    for (const verb of [
      'FOO bar',
      'PUX a 2',
      'PI NG',
      'GET / HTTP/1.1',
      'MSG a 1 2',
      '',
      'SUB',
      'PUB',
      'HPUB',
      'UNSUB',
      '{}',
      '\0',
    ]) {
      closes(JSON.stringify(verb), lines(verb), UNKNOWN_OPERATION);
    }
    closes('a TLS client hello', '\x16\x03\x01\x02\x00', UNKNOWN_OPERATION);
    closes('a payload longer than announced', lines('PUB e.long 2', 'hello'), UNKNOWN_OPERATION);
    closes(
      'a payload shorter than announced',
      lines('PUB e.short 10', 'hi', 'PING', 'PING'),
      UNKNOWN_OPERATION,
    );
  });

  describe('arguments', parallel, () => {
    const refused = [
      'SUB a',
      'SUB a b c d',
      'PUB a',
      'PUB a x',
      'PUB a -1',
      'PUB a 1x',
      'PUB a b c 2',
      'PUB a 99999999999999999999',
      'HPUB a 12',
      'HPUB a -1 12',
      'HPUB a x 12',
      'HPUB a 12 x',
      'HPUB a b c 12 12',
      'UNSUB 1 1 1',
      "-ERR 'x'",
    ];
    for (const line of refused) closes(line, lines(line), ANY_ERROR_OR_NONE);
    closes(
      'HPUB with more header than message',
      lines('HPUB a 20 12', 'NATS/1.0', '', ''),
      ANY_ERROR_OR_NONE,
    );
    closes(
      'HPUB when CONNECT said no headers',
      lines('HPUB a 12 12', 'NATS/1.0', '', ''),
      ANY_ERROR_OR_NONE,
      { headers: false, no_responders: false },
    );
  });

  describe('limits', parallel, () => {
    closes('PUB over max_payload, before its payload', lines('PUB e.max 1048577'), PAYLOAD_VIOLATION);
    closes('HPUB over max_payload, headers counted', lines('HPUB e.max 12 1048577'), PAYLOAD_VIOLATION);
    closes('a control line over 4096 bytes', lines(`PUB ${'a'.repeat(4096)} 2`), CONTROL_LINE_EXCEEDED);
    closes(
      'a control line over 4096 bytes that has not ended yet',
      `SUB ${'a'.repeat(4200)}`,
      CONTROL_LINE_EXCEEDED,
    );
    closes(
      'a CONNECT over 4096 bytes',
      lines(`CONNECT {"verbose":false,"name":"${'a'.repeat(5000)}"}`),
      CONTROL_LINE_EXCEEDED,
    );
    closes(
      'a flood without a line end',
      'x'.repeat(1 << 20),
      /^-ERR '(Unknown Protocol Operation|maximum control line exceeded)'\r\n$/,
    );
  });

  describe('CONNECT', parallel, () => {
    for (const text of [
      'CONNECT {bad',
      'CONNECT',
      'CONNECT ',
      'CONNECT []',
      'CONNECT "x"',
      'CONNECT 1',
      'CONNECT {"verbose":"x"}',
      'CONNECT {"headers":1}',
      'CONNECT {"protocol":"1"}',
    ]) {
      closesAtOnce(text, lines(text), ANY_ERROR_OR_NONE);
    }
    closesAtOnce(
      'no_responders without headers',
      lines('CONNECT {"verbose":false,"no_responders":true,"headers":false}'),
      "-ERR 'no responders requires headers support'\r\n",
    );
    closesAtOnce(
      'a protocol that does not exist',
      lines('CONNECT {"verbose":false,"protocol":2}'),
      "-ERR 'invalid client protocol'\r\n",
    );
  });

  test('an error on one connection is not noticed on another', async () => {
    using canary = await shakeHands(server().natsPort);
    canary.send(lines('SUB e.canary 1'));
    for (const sent of ['FOO\r\n', 'PUB a 1048577\r\n', 'HPUB a 20 12\r\n', `SUB ${'a'.repeat(5000)}`]) {
      using client = await shakeHands(server().natsPort);
      client.send(sent);
      await client.closed();
      await canary.exchange(lines('PUB e.canary 2', 'ok', 'PING'), lines('MSG e.canary 1 2', 'ok', 'PONG'));
    }
  });
});
