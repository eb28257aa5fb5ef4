import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Broker, Receipt } from '../../broker/index.ts';

/** What a receipt handle says. */
export interface ReadHandle {
  readonly receipt: Receipt;
  /** When the message was received, in milliseconds since the epoch. */
  readonly receivedMs: number;
}

const macBytes = 16;

/**
 * Receipt handles are receipts of the broker as clients hold them: opaque texts that survive a restart. A
 * code in front authenticates the text, so that a handle is told from one that was made up or changed. The
 * key of the codes is kept in the data directory.
 */
export class ReceiptHandles {
  readonly #broker: Broker;
  #key: Buffer | undefined = undefined;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  write(receipt: Receipt, receivedMs: number): string {
    const text = `${this.#broker.writeReceipt(receipt)}/${receivedMs.toString(36)}`;
    return Buffer.concat([this.#mac(text), Buffer.from(text, 'latin1')]).toString('base64');
  }

  /** Undefined if the text is no handle of this server, or if its queue is gone. */
  read(handle: string): ReadHandle | undefined {
    if (handle.length > 512) return undefined;
    const bytes = Buffer.from(handle, 'base64');
    // Bytes that base64 does not have are skipped by Node: only the text as it was written is a handle.
    if (bytes.length <= macBytes || bytes.toString('base64') !== handle) return undefined;
    const text = bytes.toString('latin1', macBytes);
    if (!timingSafeEqual(this.#mac(text), bytes.subarray(0, macBytes))) return undefined;
    const at = text.lastIndexOf('/');
    const receipt = this.#broker.readReceipt(text.slice(0, at));
    return receipt && { receipt, receivedMs: Number.parseInt(text.slice(at + 1), 36) };
  }

  #mac(text: string): Buffer {
    this.#key ??= keyOf(this.#broker);
    return createHmac('sha256', this.#key).update(text, 'latin1').digest().subarray(0, macBytes);
  }
}

/** Reads the key, or makes it when the first handle needs it. */
function keyOf({ attributes, random }: Broker): Buffer {
  const stored = attributes.get('sqs', 'receipt-key');
  if (typeof stored === 'string') return Buffer.from(stored, 'base64');
  const key = Buffer.from(random.bytes(32));
  // It is in the same commit as the first delivery, or in an earlier one.
  attributes.set('sqs', 'receipt-key', key.toString('base64')).catch(() => undefined);
  return key;
}
