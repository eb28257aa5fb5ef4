import { WireError } from '../errors.ts';

export function corrupt(what: string): WireError {
  return new WireError('bad-compression', `zstd: ${what}.`);
}
