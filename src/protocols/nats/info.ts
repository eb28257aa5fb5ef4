import { FrameWriter, type ServerInfo } from '../../wire/nats/index.ts';

/**
 * The version of nats-server that clients should take us for.
 *
 * They switch features on by it: from 2.9 the consumer API with filters in the subject and direct get, from
 * 2.10 several filters and metadata, from 2.11 batches of direct get and pausing. From 2.12 and 2.14 on they
 * would use atomic batches, counters, schedules and consumer reset, which are not here.
 */
export const natsVersion = '2.11.0';

/**
 * The JetStream API level, shown in INFO and in API answers: that of nats-server 2.14, the newest whose every
 * configuration member is known here. Members that are not built are refused by name; headers of publishes
 * are answered as by a stream that does not allow them.
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
