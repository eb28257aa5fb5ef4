import { MissingPeerError } from './errors.ts';

/** Loads a package that is an optional peer: it is needed for some targets only. */
export async function loadPeer<M>(target: string, name: string, load: () => Promise<M>): Promise<M> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
    const isMissing =
      (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && String(message).includes(name);
    throw isMissing ? new MissingPeerError(target, name, error) : error;
  }
}
