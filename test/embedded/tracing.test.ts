import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, test } from 'node:test';
import * as realApi from '@opentelemetry/api';
import { open, type OpenTelemetryApi } from '../../src/index.ts';

interface FakeSpan {
  readonly id: number;
  readonly name: string;
  readonly parent: number | undefined;
  readonly kind: number;
  readonly attributes: { [name: string]: string | number };
  readonly events: string[];
  hasFailed: boolean;
  hasEnded: boolean;
}

/** An API whose contexts are numbers of spans, and whose `traceparent` is such a number. */
class FakeApi implements OpenTelemetryApi {
  readonly spans: FakeSpan[] = [];
  readonly #active = new AsyncLocalStorage<unknown>();

  readonly trace = {
    getTracer: () => ({
      startSpan: (
        name: string,
        { kind, attributes }: { kind: number; attributes: { readonly [name: string]: string | number } },
        parent: unknown,
      ) => {
        const span: FakeSpan = {
          id: this.spans.length + 1,
          name,
          parent: parent as number | undefined,
          kind,
          attributes: { ...attributes },
          events: [],
          hasFailed: false,
          hasEnded: false,
        };
        this.spans.push(span);
        return {
          id: span.id,
          setAttribute: (key: string, value: string | number) => void (span.attributes[key] = value),
          setStatus: ({ code }: { readonly code: number }) => void (span.hasFailed = code === 2),
          addEvent: (event: string, attributes: object) =>
            void span.events.push([event, ...Object.values(attributes)].join(' ')),
          end: () => void (span.hasEnded = true),
        };
      },
    }),
    setSpan: (_: unknown, span: unknown) => (span as { id: number }).id,
  };
  readonly context = {
    active: () => this.#active.getStore(),
    with: <T>(context: unknown, run: () => T): T => this.#active.run(context, run),
  };
  readonly propagation = {
    inject: (context: unknown, carrier: { [name: string]: string }) => {
      carrier['traceparent'] = String(context);
    },
    extract: (context: unknown, { traceparent }: { readonly [name: string]: string }) =>
      traceparent === undefined ? context : Number(traceparent),
  };
}

describe('tracing', () => {
  test('makes a span of a publish, and one of its handler under it', async () => {
    const api = new FakeApi();
    await using box = await open({ openTelemetry: api });
    const orders = await box.topic('orders', { retention: 'queue' });
    const group = await orders.group('billing');
    await orders.publish('tea', { headers: { colour: 'red' } });
    const active: unknown[] = [];
    const headers: object[] = [];
    group.consume(async (message) => {
      await Promise.resolve();
      active.push(api.context.active());
      headers.push(message.headers.toJSON());
    });
    await group.drained();
    assert.deepEqual(active, [2], 'the handler runs in its span, after waiting, too');
    assert.deepEqual(headers, [{ colour: 'red', traceparent: '1' }]);
    const [sent, processed] = api.spans;
    assert.deepEqual(sent, {
      id: 1,
      name: 'publish orders',
      parent: undefined,
      kind: realApi.SpanKind.PRODUCER,
      attributes: {
        'messaging.system': 'pillarbox',
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'orders',
      },
      events: [],
      hasFailed: false,
      hasEnded: true,
    });
    assert.deepEqual(
      [processed?.name, processed?.parent, processed?.kind, processed?.events, processed?.hasEnded],
      ['process orders', 1, realApi.SpanKind.CONSUMER, ['settle acked'], true],
    );
    assert.equal(processed?.attributes['messaging.consumer.group.name'], 'billing');
  });

  test('marks what fails, and how it was answered', async () => {
    const api = new FakeApi();
    await using box = await open({ openTelemetry: api });
    const small = await box.topic('small', { messagesMax: 1, overflow: 'reject' });
    const group = await small.group('g', { maxDeliver: 1 });
    await small.publish(1);
    await assert.rejects(small.publish(2), { code: 'topic-full' });
    group.consume(() => Promise.reject(new TypeError('no')), { onError: () => {} });
    await group.drained();
    const shown = api.spans.map(({ name, hasFailed, hasEnded, events, attributes }) => {
      return [name, hasFailed, hasEnded, attributes['error.type'], ...events];
    });
    assert.deepEqual(shown, [
      ['publish small', false, true, undefined],
      ['publish small', true, true, 'topic-full'],
      ['process small', true, true, 'TypeError', 'settle nacked'],
    ]);
    assert.equal(api.spans[1]?.hasFailed, true);
  });

  test('has one span for a batch, and leaves a context that the publisher gives', async () => {
    const api = new FakeApi();
    await using box = await open({ openTelemetry: api });
    const orders = await box.topic('orders');
    await orders.publishBatch([1, 2]);
    await orders.publishMessages([
      { value: 3, headers: { traceparent: '77' } },
      { value: 4, headers: [['traceparent', '78']] },
      { value: 5, headers: [['colour', 'red']] },
    ]);
    const seen: unknown[] = [];
    for await (const { headers } of orders.browse()) seen.push(headers.get('traceparent'));
    assert.deepEqual(seen, ['1', '1', '77', '78', '2']);
    assert.deepEqual(
      api.spans.map(({ attributes }) => attributes['messaging.batch.message_count']),
      [2, 3],
    );
  });

  test('takes the module of OpenTelemetry itself, and nothing that lacks its parts', async () => {
    await using box = await open({ openTelemetry: realApi });
    const topic = await box.topic('plain');
    await topic.publish('x');
    assert.equal((await topic.get(0))?.value, 'x');
    await assert.rejects(open({ openTelemetry: {} as OpenTelemetryApi }), { code: 'option-invalid' });
  });
});
