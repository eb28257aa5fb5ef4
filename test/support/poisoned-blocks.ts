import { BlockPool } from '../../src/util/index.ts';

/** Small enough that the batches of tests lie in blocks. */
const bytesMin = 256;

/** A block pool that overwrites returned blocks at once, so that a late reader reads nonsense. */
export class PoisonedBlocks extends BlockPool {
  given = 0;

  constructor() {
    super(2 ** 22, bytesMin);
  }

  override give(block: ArrayBufferLike): void {
    if (!this.lent(block)) return;
    this.given++;
    new Uint8Array(block).fill(0xdb);
    super.give(block);
  }
}
