import sqlite from 'node-sqlite3-wasm';
import type { SqliteDatabase } from '../../src/databases/index.ts';

/**
 * SQLite compiled to WebAssembly, with the methods of better-sqlite3 and `node:sqlite`. It runs on any Node.
 */
export class WasmSqlite implements SqliteDatabase {
  readonly #database: InstanceType<typeof sqlite.Database>;

  constructor(path: string = ':memory:') {
    this.#database = new sqlite.Database(path);
  }

  exec(text: string): void {
    this.#database.exec(text);
  }

  prepare(text: string): { all(...values: never[]): unknown; run(...values: never[]): { changes: number } } {
    return {
      all: (...values) => this.#database.all(text, values),
      run: (...values) => ({ changes: this.#database.run(text, values).changes }),
    };
  }

  close(): void {
    this.#database.close();
  }
}
