import assert from 'node:assert/strict';
import type { Body, SqsServer } from '../sqs/sqs-kit.ts';

/** An answer of SNS: a status and XML. */
export interface SnsAnswer {
  readonly status: number;
  readonly body: string;
}

/** A client of SNS that writes forms and looks into XML. */
export class SnsClient {
  server: SqsServer;

  constructor(server: SqsServer) {
    this.server = server;
  }

  async ask(action: string, fields: { readonly [name: string]: string } = {}): Promise<SnsAnswer> {
    const response = await fetch(`http://127.0.0.1:${this.server.port}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ Action: action, Version: '2010-03-31', ...fields }).toString(),
    });
    return { status: response.status, body: await response.text() };
  }

  /** The XML of an operation that succeeds. */
  async call(action: string, fields: { readonly [name: string]: string } = {}): Promise<string> {
    const { status, body } = await this.ask(action, fields);
    assert.equal(status, 200, body);
    return body;
  }

  /** The refusal of an operation: `404 NotFound: Topic does not exist`; `200` if it succeeds. */
  async told(action: string, fields: { readonly [name: string]: string } = {}): Promise<string> {
    const { status, body } = await this.ask(action, fields);
    if (status === 200) return '200';
    assert.match(body, /^<ErrorResponse xmlns="http:\/\/sns\.amazonaws\.com\/doc\/2010-03-31\/">/);
    return `${status} ${elements(body, 'Code')[0]}: ${elements(body, 'Message')[0]}`;
  }

  /** Creates a topic and returns its ARN. */
  async topic(name: string, attributes: { readonly [name: string]: string } = {}): Promise<string> {
    const all = { ...(name.endsWith('.fifo') && { FifoTopic: 'true' }), ...attributes };
    const body = await this.call('CreateTopic', { Name: name, ...entries('Attributes', all) });
    return elements(body, 'TopicArn')[0]!;
  }

  /** Subscribes a queue by its name and returns the ARN of the subscription. */
  async subscribe(
    topic: string,
    queue: string,
    attributes: { readonly [name: string]: string } = {},
  ): Promise<string> {
    const body = await this.call('Subscribe', {
      TopicArn: topic,
      Protocol: 'sqs',
      Endpoint: queueArn(queue),
      ...entries('Attributes', attributes),
    });
    return elements(body, 'SubscriptionArn')[0]!;
  }

  /** Publishes a message and returns its id. */
  async publish(
    topic: string,
    message: string,
    fields: { readonly [name: string]: string } = {},
  ): Promise<string> {
    const body = await this.call('Publish', { TopicArn: topic, Message: message, ...fields });
    return elements(body, 'MessageId')[0]!;
  }

  /** The envelopes in a queue, parsed. */
  async envelopes(url: string): Promise<Body[]> {
    return (await this.server.bodies(url)).map((body) => JSON.parse(body));
  }
}

export function queueArn(name: string): string {
  return `arn:aws:sqs:us-east-1:000000000000:${name}`;
}

/** A map as SNS has it in forms: `Attributes.entry.1.key=…`. */
export function entries(
  name: string,
  map: { readonly [key: string]: string },
): { readonly [name: string]: string } {
  return Object.fromEntries(
    Object.entries(map).flatMap(([key, value], index) => [
      [`${name}.entry.${index + 1}.key`, key],
      [`${name}.entry.${index + 1}.value`, value],
    ]),
  );
}

/** The attributes of a message in a form; numbers are Numbers. */
export function messageAttributes(attributes: { readonly [name: string]: string | number }): {
  readonly [name: string]: string;
} {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([key, value], index) => {
      const entry = `MessageAttributes.entry.${index + 1}`;
      return [
        [`${entry}.Name`, key],
        [`${entry}.Value.DataType`, typeof value === 'number' ? 'Number' : 'String'],
        [`${entry}.Value.StringValue`, String(value)],
      ];
    }),
  );
}

/** The texts of all elements of a name that have no elements in them. */
export function elements(xml: string, name: string): string[] {
  return Array.from(xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g')), ([, text = '']) =>
    text
      .replaceAll('&quot;', '"')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&#xD;', '\r')
      .replaceAll('&amp;', '&'),
  );
}

/** The map of an answer with attributes. */
export function attributesIn(xml: string): { readonly [name: string]: string } {
  const keys = elements(xml, 'key');
  // An empty value is an empty element.
  const values = elements(xml.replaceAll('<value/>', '<value></value>'), 'value');
  return Object.fromEntries(keys.map((key, index) => [key, values[index]!]));
}
