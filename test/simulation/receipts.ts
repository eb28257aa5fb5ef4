import { Receipt, type Broker, type Delivery, type Group } from '../../src/broker/index.ts';
import { groupKeyOf } from './keys.ts';

/** A receipt, the event of its delivery, and the run that was in. */
export interface KeptReceipt {
  readonly receipt: Receipt;
  readonly of: number;
  readonly run: number;
}

interface WrittenReceipt {
  readonly text: string;
  readonly of: number;
  readonly run: number;
}

/**
 * Clients keep all receipts they got, fresh and stale, and write some of them down, which outlives the
 * broker's process.
 */
export class Receipts {
  readonly #kept = new Map<string, KeptReceipt[]>();
  readonly #written = new Map<string, WrittenReceipt[]>();
  #broker: Broker | undefined;

  connect(broker: Broker): void {
    this.#broker = broker;
    this.#kept.clear();
  }

  keep(group: Group, delivery: Delivery, of: number, run: number): Receipt {
    const receipt = Receipt.of(group, delivery);
    const key = groupKeyOf(group);
    listOf(this.#kept, key).push({ receipt, of, run });
    if (of % 2 === 0) {
      const text = this.#broker!.writeReceipt(receipt);
      listOf(this.#written, key).push({ text, of, run });
    }
    return receipt;
  }

  /** Some of them, from a place in their list on, as a share of it in [0, 1). */
  pick(group: Group, from: 'kept' | 'written', share: number, count: number): KeptReceipt[] {
    const key = groupKeyOf(group);
    if (from === 'kept') return pickOf(this.#kept.get(key), share, count);
    return pickOf(this.#written.get(key), share, count).flatMap(({ text, of, run }) => {
      const receipt = this.#broker!.readReceipt(text);
      return receipt ? [{ receipt, of, run }] : [];
    });
  }
}

function listOf<T>(map: Map<string, T[]>, key: string): T[] {
  let list = map.get(key);
  if (!list) map.set(key, (list = []));
  return list;
}

function pickOf<T>(list: readonly T[] = [], share: number, count: number): T[] {
  const at = Math.floor(share * list.length);
  return list.slice(at, at + count);
}
