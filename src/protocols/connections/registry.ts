import type { Connection, ConnectionInfo } from './connection.ts';

/** The registry has all connections of a server, of all protocols, by id. */
export class ConnectionRegistry {
  readonly #connections = new Map<number, Connection>();
  readonly #connectionsMax: number;
  /** The connections that do not count towards the limit. */
  readonly #apart = new Set<Connection>();
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
    this.#connections.delete(connection.id);
    this.#apart.delete(connection);
  }

  get(id: number): Connection | undefined {
    return this.#connections.get(id);
  }

  list(): ConnectionInfo[] {
    return Array.from(this.#connections.values(), (connection) => connection.info());
  }
}
