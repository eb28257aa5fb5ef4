import type { Publisher, RelayedOptions } from '../../src/outbox/index.ts';

/** A target is a topic that keeps what it gets, and refuses what it is told to. */
export class Target implements Publisher {
  readonly messages: { readonly value: string; readonly options: RelayedOptions }[] = [];
  refuse: (value: string) => Error | undefined = () => undefined;

  get values(): string[] {
    return this.messages.map(({ value }) => value);
  }

  async publish(bytes: Uint8Array, options: RelayedOptions): Promise<{ duplicate: boolean }> {
    const value = Buffer.from(bytes).toString('latin1');
    const error = this.refuse(value);
    if (error) throw error;
    this.messages.push({ value, options });
    return { duplicate: false };
  }
}
