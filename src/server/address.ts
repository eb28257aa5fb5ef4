import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { Users, protocols, problemOfTls } from '../protocols/index.ts';
import { portFlag } from '../protocols/settings.ts';
import { shownText } from '../util/index.ts';
import { ServerError, messageOf, systemErrorCode } from './errors.ts';
import { type Settings, settingTable } from './settings.ts';
import { configuredUsers } from './users.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

/** Whether only this machine can reach the address. A name counts if all addresses that it resolves to do. */
export async function isLoopback(host: string): Promise<boolean> {
  if (isIP(host)) return loopback.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
  if (host === 'localhost') return true;
  const addresses = await lookup(host, { all: true });
  return (
    addresses.length > 0 &&
    addresses.every(({ address, family }) => loopback.check(address, family === 4 ? 'ipv4' : 'ipv6'))
  );
}

/** A table of users, which decides whether clients of a protocol must log in. */
interface LoginRule {
  requires(protocol: string): boolean;
}

/** A listening address, and the settings that protect it. */
interface Exposure {
  readonly title: string;
  readonly host: string;
  /** The flag that sets the host. */
  readonly hostFlag: string;
  readonly loginFlags: string;
  readonly authenticates: boolean;
  /** Another solution, as the end of a sentence. */
  readonly orElse: string;
}

/**
 * Refuses, in one sentence, settings that do not fit together, and settings that would open the server to the
 * network by accident. The users are those of the settings, unless others are given.
 */
export async function checkExposure(settings: Settings, given?: LoginRule): Promise<void> {
  for (const protocol of protocols) {
    const problem = protocol.problemOf(settings);
    if (problem !== undefined) throw new ServerError('configuration-invalid', problem);
  }
  const { adminTlsCert, adminTlsKey, adminTlsCa } = settings;
  const problem = problemOfTls({ title: 'admin', name: 'admin' }, [adminTlsCert, adminTlsKey, adminTlsCa]);
  if (problem !== undefined) throw new ServerError('configuration-invalid', problem);
  const users = given ?? new Users(configuredUsers(settings));
  for (const exposure of exposuresOf(settings, users)) await checkOne(exposure, settings.insecure);
}

function exposuresOf(settings: Settings, users: LoginRule): Exposure[] {
  const { host, adminHost, adminToken } = settings;
  const doors = protocols.flatMap((protocol): Exposure[] => {
    if (protocol.port(settings) === 'off') return [];
    const { title, loginFlags, name, usersOf = name } = protocol;
    const orElse = `, or leave it out with ${portFlag(name)} off`;
    const hostFlag = `--${settingTable.host.name}`;
    return [{ title, host, hostFlag, loginFlags, authenticates: users.requires(usersOf), orElse }];
  });
  const admin: Exposure = {
    title: 'the admin HTTP',
    host: adminHost,
    hostFlag: `--${settingTable.adminHost.name}`,
    loginFlags: `--${settingTable.adminToken.name}`,
    authenticates: adminToken !== undefined || users.requires('admin'),
    orElse: '',
  };
  return [...doors, admin];
}

async function checkOne(exposure: Exposure, insecure: boolean): Promise<void> {
  const { title, host, hostFlag, loginFlags, authenticates, orElse } = exposure;
  const isPublic = await isLoopback(host).then(
    (isLoopback) => !isLoopback,
    (error: unknown) => {
      throw new ServerError(
        'address-unavailable',
        `The address "${shownText(host)}" for ${title} cannot be resolved (${systemErrorCode(error) ?? messageOf(error)}); ` +
          `give an address of this machine with ${hostFlag}.`,
        error,
      );
    },
  );
  if (isPublic && !authenticates && !insecure)
    throw new ServerError(
      'address-not-allowed',
      `Refusing to open ${title} to the network on ${host} without authentication: ` +
        `set ${loginFlags} or listen on 127.0.0.1${orElse} (--insecure overrides this).`,
    );
}

/** The error of a failed listen, in one sentence. */
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
