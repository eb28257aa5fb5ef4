import type { SqsEntry } from './sqs-script.ts';

// The content of a message follows from its entry, so that a receiver can tell whether any of it is wrong.

export interface WireAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: string;
}

export function bodyOf({ name, bytes }: SqsEntry): string {
  // Characters of one to three bytes, and those that XML escapes.
  return `m${name} `.padEnd(bytes, 'aé<"€&\r\n'.slice(name % 4));
}

/** The name in a body; -1 when there is none. */
export function nameIn(body: string): number {
  const [, name] = /^m(\d{1,9}) /.exec(body) ?? [];
  return name === undefined ? -1 : Number(name);
}

export function attributesOf({ name }: SqsEntry): { readonly [name: string]: WireAttribute } {
  return {
    ...(name % 3 === 0 && { text: { DataType: 'String', StringValue: `t${name}` } }),
    ...(name % 4 === 0 && { price: { DataType: 'Number.eur', StringValue: String(name) } }),
    ...(name % 5 === 0 && {
      bytes: { DataType: 'Binary', BinaryValue: Buffer.from([0, name & 255, 255]).toString('base64') },
    }),
  };
}
