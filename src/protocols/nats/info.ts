import { FrameWriter, type ServerInfo } from '../../wire/nats/index.ts';

/**
 * The version of nats-server that clients see: the newest one of which every configuration member is known
 * here. Members that are not built are refused by name. If the headers of a publish ask for a feature that is
 * not built, it is answered as by a stream that does not allow the feature.
 *
 * Clients switch features on by this version. From 2.9: the consumer API with filters in the subject, and
 * direct get. From 2.10: several filters, and metadata. From 2.11: batches of direct get, and pausing. From
 * 2.14: the reset of a consumer. No client uses a feature that is missing here because of the version alone:
 * atomic batches, counters and schedules of 2.12 must be allowed by the stream.
 */
export const natsVersion = '2.14.0';

/**
 * The JetStream API level that belongs to {@link natsVersion}, shown in INFO and in API answers. (nats-server
 * 2.11 has 1, 2.12.0 has 2, later 2.12 has 3, 2.14 has 4, 2.15 has 5.) A request names the level that it
 * needs, and a level higher than this is refused.
 */
export const natsApiLevel = 4;

/** The only account, by nats-server's name for it. */
export const globalAccount = '$G';

export interface InfoOptions {
  readonly serverId: string;
  readonly serverName: string;
  /** That of Pillarbox. */
  readonly version?: string;
  readonly host: string;
  readonly port: number;
  readonly payloadBytesMax: number;
  readonly jetStream: boolean;
  readonly authRequired: boolean;
  /** `verifies`: clients are asked for a certificate. */
  readonly tls?: { readonly verifies: boolean } | undefined;
}

/** INFO without the members that differ between clients. */
export function serverInfo(options: InfoOptions): ServerInfo {
  return {
    server_id: options.serverId,
    server_name: options.serverName,
    version: natsVersion,
    ...(options.version !== undefined && { pillarbox: options.version }),
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

/** The members of INFO for a client that may have an nkey. */
export function withNonce(nonce: string | undefined): Partial<ServerInfo> {
  return nonce === undefined ? {} : { nonce };
}
