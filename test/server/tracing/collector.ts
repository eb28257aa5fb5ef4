import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as a collector gets it. */
export interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it begins its trace. */
  readonly parentId: string;
  readonly state: string;
  readonly kind: number;
  readonly isError: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: { readonly [name: string]: string | number };
}

/** A collector takes spans by OTLP over HTTP with protobuf, as opentelemetry-proto v1 has it. */
export interface Collector extends AsyncDisposable {
  readonly url: string;
  readonly spans: CollectedSpan[];
  /** The attributes of the resource that came last. */
  readonly resource: () => { readonly [name: string]: string | number };
}

export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  let resource: CollectedSpan['attributes'] = {};
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const isKnown =
        request.url === '/v1/traces' && request.headers['content-type'] === 'application/x-protobuf';
      const body = isKnown ? Buffer.concat(chunks) : Buffer.alloc(0);
      for (const resourceSpans of all(body, 1)) {
        resource = attributesOf(all(first(resourceSpans, 1), 1));
        for (const scope of all(resourceSpans, 2)) spans.push(...all(scope, 2).map(spanOf));
      }
      response.writeHead(isKnown ? 200 : 404, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    resource: () => resource,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function spanOf(bytes: Buffer): CollectedSpan {
  const fields = read(bytes);
  const text = (field: number, encoding: BufferEncoding): string =>
    bytesOf(fields.find(([number]) => number === field)?.[1]).toString(encoding);
  const number = (field: number): number => Number(fields.find(([number]) => number === field)?.[1] ?? 0);
  return {
    traceId: text(1, 'hex'),
    spanId: text(2, 'hex'),
    state: text(3, 'utf8'),
    parentId: text(4, 'hex'),
    name: text(5, 'utf8'),
    kind: number(6),
    startMs: number(7) / 1e6,
    endMs: number(8) / 1e6,
    attributes: attributesOf(all(bytes, 9)),
    isError: read(first(bytes, 15)).some(([field, value]) => field === 3 && value === 2n),
  };
}

/** `KeyValue { key = 1; AnyValue value = 2 { string = 1; int = 3; } }` */
function attributesOf(pairs: readonly Buffer[]): CollectedSpan['attributes'] {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [[, value] = [0, 0n]] = read(first(pair, 2));
      return [first(pair, 1).toString(), typeof value === 'bigint' ? Number(value) : value.toString()];
    }),
  );
}

type Field = readonly [number: number, value: bigint | Buffer];

/** The fields of a protobuf message. */
function read(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const type = tag & 7;
    if (type === 0) fields.push([tag >> 3, varint()]);
    else if (type === 2) {
      const length = Number(varint());
      fields.push([tag >> 3, bytes.subarray(at, (at += length))]);
    } else if (type === 1) fields.push([tag >> 3, bytes.readBigUInt64LE((at += 8) - 8)]);
    else fields.push([tag >> 3, BigInt(bytes.readUInt32LE((at += 4) - 4))]);
  }
  return fields;
}

function all(bytes: Buffer, field: number): Buffer[] {
  return read(bytes).flatMap(([number, value]) => (number === field ? [bytesOf(value)] : []));
}

function first(bytes: Buffer, field: number): Buffer {
  return all(bytes, field)[0] ?? Buffer.alloc(0);
}

function bytesOf(value: bigint | Buffer | undefined): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}
