import type { Socket } from 'node:net';
import type { Frontend, ListenOptions } from '../frontend.ts';
import { Listener } from './listener.ts';

export interface DoorOptions {
  readonly name: string;
  readonly title: string;
  /** Called for each read, because the users may change. */
  readonly authenticates: () => boolean;
  /** Loads the code of the protocol and makes its frontend. */
  readonly create: () => Promise<Frontend>;
  /**
   * Called if the code cannot be loaded. Node does not load a module again after a failure, so this is final.
   */
  readonly onLoadFailed: (error: unknown) => void;
}

/**
 * The delay between opening the port and loading the code of the protocol, unless a client connects first.
 */
const loadDelayMs = 100;

/**
 * A door listens for the clients of one protocol and hands their connections to its frontend. The code of the
 * frontend can be large, so starting the server does not wait for it. It is loaded shortly after the port is
 * open, or when the first client connects.
 */
export class Door {
  readonly name: string;
  readonly title: string;
  readonly #options: DoorOptions;
  #listener: Listener | undefined;
  #address: ListenOptions | undefined;
  #loading: Promise<Frontend> | undefined;
  #frontend: Frontend | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosing = false;

  constructor(options: DoorOptions) {
    this.name = options.name;
    this.title = options.title;
    this.#options = options;
  }

  /** Whether clients must log in. */
  get authenticates(): boolean {
    return this.#options.authenticates();
  }

  /** Open connections. */
  get connections(): number {
    return this.#frontend?.connections ?? 0;
  }

  /** The port in use; undefined before it listens. */
  get port(): number | undefined {
    return this.#address?.port;
  }

  /** Rejects with the error of the system (`EADDRINUSE`, `EACCES`, …). */
  async listen(options: ListenOptions): Promise<void> {
    this.#listener = Listener.for((socket) => this.#accept(socket));
    const { port } = await this.#listener.listen(options);
    this.#address = { host: options.host, port };
    this.#frontend?.listening?.(this.#address);
    // The delay lets all doors open, and the waiting program hear of it, first.
    this.#timer = setTimeout(() => void this.load().catch(() => {}), loadDelayMs).unref();
  }

  /** Loads the frontend, so that the first client does not wait for it. */
  load(): Promise<Frontend> {
    if (!this.#loading) {
      this.#loading = this.#load();
      this.#loading.catch(this.#options.onLoadFailed);
    }
    return this.#loading;
  }

  async #load(): Promise<Frontend> {
    const frontend = await this.#options.create();
    if (this.#address) frontend.listening?.(this.#address);
    this.#frontend = frontend;
    if (this.#isClosing) await frontend.close();
    return frontend;
  }

  #accept(socket: Socket): void {
    if (this.#frontend) return this.#frontend.accept(socket);
    const fail = (): void => void socket.destroy();
    socket.on('error', fail);
    this.load().then((frontend) => {
      socket.off('error', fail);
      if (!socket.destroyed) frontend.accept(socket);
    }, fail);
  }

  async close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    void this.#listener?.close();
    const frontend = await this.#loading?.catch(() => undefined);
    await frontend?.close(options);
  }
}
