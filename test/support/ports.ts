import { portFlag, protocolNames, type ProtocolName } from '../../src/protocols/settings.ts';

/** The settings of all ports but that of the admin HTTP. */
type ProtocolPorts<P> = { readonly [name in ProtocolName as `${name}Port`]: P };

function ofAll<P>(port: P): ProtocolPorts<P> {
  return Object.fromEntries(protocolNames.map((name) => [`${name}Port`, port])) as ProtocolPorts<P>;
}

/** Settings of a server that listens on free ports only, for every protocol there is. */
export const freePorts: ProtocolPorts<0> & { readonly adminPort: 0 } = { ...ofAll(0 as const), adminPort: 0 };

/** Settings of a server that speaks no protocol. */
export const protocolsOff: ProtocolPorts<'off'> = ofAll('off' as const);

/** The same as {@link freePorts} for the command line. */
export const freePortFlags: readonly string[] = [...protocolNames.map(portFlag), '--admin-port'].flatMap(
  (flag) => [flag, '0'],
);
