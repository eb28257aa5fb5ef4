import type { Broker, Router } from '../../../broker/index.ts';
import type { Clock, Random } from '../../../util/index.ts';
import type { DeliveryWriter } from './delivery.ts';
import type { Outlet } from './outlet.ts';
import type { Streams } from './streams.ts';

/** The name and version of the server that NATS clients see in INFO, API answers and metadata. */
export interface ServerIdentity {
  readonly name: string;
  readonly version: string;
  readonly apiLevel: number;
}

/** A subject that deliveries are sent to. */
export type LiveTarget = ReturnType<Router['target']>;

/** The parts of the server that all of JetStream uses. One per server. */
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

/** Numbers of API requests, and of refused ones, since the start. */
export interface ApiCounters {
  total: number;
  errors: number;
}
