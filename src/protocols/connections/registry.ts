import type { Connection, ConnectionInfo } from './connection.ts';

/** The registry holds all connections of a server, of all protocols, by their ids. */
export class ConnectionRegistry {
  readonly #connections = new Map<number, Connection>();
  readonly #connectionsMax: number;
  #lastId = 0;

  constructor(connectionsMax: number) {
    this.#connectionsMax = connectionsMax;
  }

  /** Open connections. */
  get size(): number {
    return this.#connections.size;
  }

  /** Whether another connection may come, of any protocol, beside so many that are about to be added. */
  hasRoomBeside(coming: number): boolean {
    return this.#connections.size + coming < this.#connectionsMax;
  }

  /** An id that no connection of this server has had. */
  nextId(): number {
    return ++this.#lastId;
  }

  add(connection: Connection): void {
    this.#connections.set(connection.id, connection);
  }

  remove(connection: Connection): void {
    this.#connections.delete(connection.id);
  }

  get(id: number): Connection | undefined {
    return this.#connections.get(id);
  }

  list(): ConnectionInfo[] {
    return Array.from(this.#connections.values(), (connection) => connection.info());
  }
}
