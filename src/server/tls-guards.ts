import { readFile } from 'node:fs/promises';
import { protocols, tlsFilesOf, TlsGuard, type TlsFiles, type TlsIdentity } from '../protocols/index.ts';
import { ServerError, messageOf, systemErrorCode } from './errors.ts';
import type { Settings } from './settings.ts';

interface Guarded {
  readonly title: string;
  readonly files: TlsFiles;
  readonly guard: TlsGuard;
}

/** The name of the guard of the admin HTTP. */
export const adminGuard = 'admin';

/** The TLS guards of the admin HTTP and of all protocols with TLS, with their files. */
export class TlsGuards {
  readonly #guarded = new Map<string, Guarded>();

  /** Reads the files. Rejects with a ServerError that names the file that cannot be read or does not fit. */
  static async read(settings: Settings): Promise<TlsGuards> {
    const guards = new TlsGuards();
    for (const protocol of protocols) {
      const { name, title } = protocol;
      const files = protocol.port(settings) === 'off' ? undefined : protocol.tls(settings);
      if (files !== undefined) await guards.#add(name, title, files);
    }
    const files = tlsFilesOf(settings.adminTlsCert, settings.adminTlsKey, settings.adminTlsCa);
    if (files !== undefined) await guards.#add(adminGuard, 'the admin HTTP', files);
    return guards;
  }

  async #add(name: string, title: string, files: TlsFiles): Promise<void> {
    const identity = await readIdentity(title, files);
    const guard = fitting(title, files, () => new TlsGuard(identity));
    this.#guarded.set(name, { title, files, guard });
  }

  of(name: string): TlsGuard | undefined {
    return this.#guarded.get(name)?.guard;
  }

  /** Reads the files again, for new connections. If some do not fit, rejects and changes nothing. */
  async renew(): Promise<void> {
    const renewals: (() => void)[] = [];
    for (const { title, files, guard } of this.#guarded.values()) {
      const identity = await readIdentity(title, files);
      fitting(title, files, () => new TlsGuard(identity));
      renewals.push(() => guard.renew(identity));
    }
    for (const renew of renewals) renew();
  }
}

async function readIdentity(
  title: string,
  { certificate, key, ca, clientCertificates = 'required' }: TlsFiles,
): Promise<TlsIdentity> {
  const identity = { certificate: await readPem(title, certificate), key: await readPem(title, key) };
  return ca === undefined ? identity : { ...identity, ca: await readPem(title, ca), clientCertificates };
}

async function readPem(title: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ServerError(
      'configuration-invalid',
      `The TLS file ${path} for ${title} cannot be read (${systemErrorCode(error) ?? messageOf(error)}); check the path and its permissions.`,
      error,
    );
  }
}

function fitting<T>(title: string, { certificate, key }: TlsFiles, use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw new ServerError(
      'configuration-invalid',
      `The TLS files ${certificate} and ${key} for ${title} do not make an identity (${messageOf(error)}); give a certificate and its own key, both as PEM.`,
      error,
    );
  }
}
