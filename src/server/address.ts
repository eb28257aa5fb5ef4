import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { parseKafkaSettings } from '../protocols/index.ts';
import { shownText } from '../util/index.ts';
import { ServerError, messageOf, systemErrorCode } from './errors.ts';
import { type Settings, settingTable } from './settings.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

/** Whether only this machine can reach the address. A name counts when all it resolves to does. */
export async function isLoopback(host: string): Promise<boolean> {
  if (isIP(host)) return loopback.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
  if (host === 'localhost') return true;
  const addresses = await lookup(host, { all: true });
  return (
    addresses.length > 0 &&
    addresses.every(({ address, family }) => loopback.check(address, family === 4 ? 'ipv4' : 'ipv6'))
  );
}

function checkKafkaConfig(text: string | undefined): void {
  try {
    parseKafkaSettings(text ?? '');
  } catch (error) {
    const problem = `--kafka-config cannot be read: ${messageOf(error)}.`;
    throw new ServerError('configuration-invalid', problem, error);
  }
}

/** Refuses, in one sentence, to be open to the network by accident. */
export async function checkExposure(settings: Settings): Promise<void> {
  const { natsUser, natsPassword, natsToken, adminToken, kafkaUser, kafkaPassword, kafkaPort } = settings;
  if ((natsUser === undefined) !== (natsPassword === undefined))
    throw new ServerError(
      'configuration-invalid',
      'NATS authentication needs both --nats-user and --nats-password; one of them is missing.',
    );
  if ((kafkaUser === undefined) !== (kafkaPassword === undefined))
    throw new ServerError(
      'configuration-invalid',
      'Kafka authentication needs both --kafka-user and --kafka-password; one of them is missing.',
    );
  if ((settings.kafkaTlsCert === undefined) !== (settings.kafkaTlsKey === undefined))
    throw new ServerError(
      'configuration-invalid',
      'TLS for Kafka needs both --kafka-tls-cert and --kafka-tls-key; one of them is missing.',
    );
  checkKafkaConfig(settings.kafkaConfig);
  const doors = [
    ['NATS', 'host', '--nats-user and --nats-password, or --nats-token,', natsUser ?? natsToken],
    [
      'Kafka',
      'host',
      '--kafka-user and --kafka-password',
      kafkaPort === 'off' ? '' : (kafkaUser ?? natsUser),
    ],
    ['the admin HTTP', 'adminHost', '--admin-token', adminToken],
  ] as const;
  for (const [door, key, credentials, given] of doors) {
    const host = settings[key];
    const isPublic = await isLoopback(host).then(
      (isLoopback) => !isLoopback,
      (error: unknown) => {
        throw new ServerError(
          'address-unavailable',
          `The address "${shownText(host)}" for ${door} cannot be resolved (${systemErrorCode(error) ?? messageOf(error)}); ` +
            `give an address of this machine with --${settingTable[key].name}.`,
          error,
        );
      },
    );
    if (isPublic && given === undefined && !settings.insecure)
      throw new ServerError(
        'address-not-allowed',
        `Refusing to open ${door} to the network on ${host} without authentication: ` +
          `set ${credentials} or listen on 127.0.0.1${door === 'Kafka' ? ', or leave it out with --kafka-port off' : ''} (--insecure overrides this).`,
      );
  }
}

/** What went wrong while listening, in one sentence. */
export function listenError(
  error: unknown,
  door: string,
  host: string,
  port: number,
  flag: string,
): ServerError {
  const code = systemErrorCode(error) ?? messageOf(error);
  const address = isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  if (code === 'EADDRINUSE')
    return new ServerError(
      'address-in-use',
      `The address ${address} for ${door} is in use by another program; ` +
        `stop that one or choose another port with ${flag} (0 takes a free one).`,
      error,
    );
  const reasons: { readonly [code: string]: string } = {
    EACCES: 'this user may not use that port; choose one above 1023',
    EADDRNOTAVAIL: 'it is not an address of this machine',
  };
  return new ServerError(
    'address-unavailable',
    `Cannot listen on ${address} for ${door} (${code}): ${reasons[code] ?? 'choose another address'}.`,
    error,
  );
}
