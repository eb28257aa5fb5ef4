import type { Connection, ConnectionInfo } from './connection.ts';
import { type Traffic, TrafficCounter } from './traffic.ts';

/** The registry has all connections of a server, of all protocols, by id. */
export class ConnectionRegistry {
  readonly #connections = new Map<number, Connection>();
  readonly #connectionsMax: number;
  /** The connections that do not count towards the limit. */
  readonly #apart = new Set<Connection>();
  readonly #traffic = new TrafficCounter();
  #lastId = 0;

  constructor(connectionsMax: number) {
    this.#connectionsMax = connectionsMax;
  }

  /** Open connections. */
  get size(): number {
    return this.#connections.size;
  }

  /**
   * Whether there is room for one more connection of any protocol, besides `coming` that are about to be
   * added.
   */
  hasRoomBeside(coming: number): boolean {
    return this.#connections.size - this.#apart.size + coming < this.#connectionsMax;
  }

  /** Returns an id that no connection of this server has had. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** `isApart`: the connection does not count towards the limit. */
  add(connection: Connection, isApart: boolean = false): void {
    this.#connections.set(connection.id, connection);
    if (isApart) this.#apart.add(connection);
  }

  remove(connection: Connection): void {
    if (this.#connections.delete(connection.id)) this.#traffic.closed(connection);
    this.#apart.delete(connection);
  }

  get(id: number): Connection | undefined {
    return this.#connections.get(id);
  }

  /** What all connections since the start have carried, by protocol. `rest` is awaited between many. */
  traffic(rest: () => Promise<void>): Promise<ReadonlyMap<string, Traffic>> {
    return this.#traffic.sum(this.#connections.values(), rest);
  }

  list(): ConnectionInfo[] {
    return Array.from(this.#connections.values(), (connection) => connection.info());
  }
}
