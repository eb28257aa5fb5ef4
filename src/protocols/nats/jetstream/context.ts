import type { Broker, Router } from '../../../broker/index.ts';
import type { Clock, Random } from '../../../util/index.ts';
import type { DeliveryWriter } from './delivery.ts';
import type { Outlet } from './outlet.ts';
import type { Streams } from './streams.ts';

/** What the NATS side calls itself: shown in INFO, in API answers and in metadata. */
export interface ServerIdentity {
  readonly name: string;
  readonly version: string;
  readonly apiLevel: number;
}

/** A subject that deliveries are sent to. */
export type LiveTarget = ReturnType<Router['target']>;

/** What every part of JetStream needs to know. One per server. */
export interface Context {
  readonly broker: Broker;
  readonly router: Router;
  readonly clock: Clock;
  readonly random: Random;
  readonly server: ServerIdentity;
  readonly streams: Streams;
  readonly outlet: Outlet;
  readonly deliveries: DeliveryWriter;
  readonly counters: ApiCounters;
}

/** How many API requests came, and how many were refused, since the start. */
export interface ApiCounters {
  total: number;
  errors: number;
}
