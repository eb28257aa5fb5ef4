import { FrameWriter, type ServerInfo } from '../../wire/nats/index.ts';

/**
 * The version of nats-server that clients should take us for: the newest whose every configuration member is
 * known here. Members that are not built are refused by name; headers of publishes are answered as by a stream
 * that does not allow them.
 *
 * Clients switch features on by it: from 2.9 the consumer API with filters in the subject and direct get, from
 * 2.10 several filters and metadata, from 2.11 batches of direct get and pausing, from 2.14 the reset of a
 * consumer. No client switches on by it what is not built here: atomic batches, counters and schedules of 2.12
 * are a stream's to allow.
 */
export const natsVersion = '2.14.0';

/**
 * The JetStream API level, shown in INFO and in API answers, that goes with {@link natsVersion}. (nats-server
 * 2.11 has 1, 2.12.0 has 2, later 2.12 has 3, 2.14 has 4, 2.15 has 5.) Clients send the level that a request
 * needs, and a higher one than this is refused.
 */
export const natsApiLevel = 4;

/** The one account there is, by nats-server's name for it. */
export const globalAccount = '$G';

export interface InfoOptions {
  readonly serverId: string;
  readonly serverName: string;
  readonly host: string;
  readonly port: number;
  readonly payloadBytesMax: number;
  readonly jetStream: boolean;
  readonly authRequired: boolean;
  /** `verifies`: clients need a certificate. */
  readonly tls?: { readonly verifies: boolean } | undefined;
}

/** INFO without what differs from client to client. */
export function serverInfo(options: InfoOptions): ServerInfo {
  return {
    server_id: options.serverId,
    server_name: options.serverName,
    version: natsVersion,
    proto: 1,
    host: options.host,
    port: options.port,
    headers: true,
    max_payload: options.payloadBytesMax,
    ...(options.jetStream && { jetstream: true, api_lvl: natsApiLevel }),
    ...(options.authRequired && { auth_required: true }),
    ...(options.tls && { tls_required: true }),
    ...(options.tls?.verifies && { tls_verify: true }),
  };
}

/** INFO for one client, as bytes. */
export function infoFor(
  info: ServerInfo,
  clientId: number,
  clientAddress: string,
  further: Partial<ServerInfo> = {},
): Uint8Array {
  const own = { ...info, client_id: clientId, client_ip: clientAddress, ...further };
  return new FrameWriter().info(own).take();
}

/** INFO of a connection whose client may have an nkey. */
export function withNonce(nonce: string | undefined): Partial<ServerInfo> {
  return nonce === undefined ? {} : { nonce };
}
