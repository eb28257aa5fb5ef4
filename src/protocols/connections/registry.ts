import type { Connection, ConnectionInfo } from './connection.ts';

/** The registry holds all connections of a server, of all protocols, by their ids. */
export class ConnectionRegistry {
  readonly #connections = new Map<number, Connection>();
  readonly #connectionsMax: number;
  /** Of those, the ones that take no room from the others. */
  readonly #apart = new Set<Connection>();
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
    return this.#connections.size - this.#apart.size + coming < this.#connectionsMax;
  }

  /** An id that no connection of this server has had. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** `isApart`: it takes no room from the others. */
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
