import {
  AwsError,
  type Claim,
  readClaim,
  type SignableRequest,
  type SignatureOptions,
  SignatureVerifier,
} from '../../wire/aws/index.ts';
import type { Hall } from '../connections/index.ts';
import type { HttpRequest } from '../http/index.ts';
import type { Login, Users } from '../users/index.ts';

/** What a login needs of the server. */
export interface LoginHost {
  readonly users: Users;
  readonly hall: Pick<Hall, 'logins' | 'clock'>;
}

/** The protocol by which users are allowed to log in here, for SQS and SNS. */
const protocol = 'sqs';

/**
 * Logins finds the users of requests by their signatures. An access key names its user; a user with a
 * readable password may also sign with its name as the access key and the password as the secret.
 *
 * Each request proves itself: there is nothing to renew when users change.
 */
export class Logins {
  readonly #host: LoginHost;
  readonly #verifier = new SignatureVerifier();

  constructor(host: LoginHost) {
    this.#host = host;
  }

  /** Whether requests must be signed by a user. Otherwise a signature means nothing. */
  get areRequired(): boolean {
    return this.#host.users.requires(protocol);
  }

  /**
   * Refuses a request whose signature cannot be right, before its body is read. Returns what it says of its
   * signature, for `logIn`. Throws an AwsError.
   */
  checkHead(request: HttpRequest): Claim | undefined {
    if (!this.areRequired) return undefined;
    const claim = readClaim(signable(request, noBody));
    if (!claim) throw new AwsError('MissingAuthenticationToken');
    if (!this.#host.users.accessKey(protocol, claim.credential.accessKeyId))
      throw new AwsError('InvalidClientTokenId');
    return claim;
  }

  /**
   * The login of a request. After wrong signatures a request waits before its own is checked. Rejects with an
   * AwsError.
   */
  async logIn(request: HttpRequest, body: Uint8Array, claim: Claim | undefined): Promise<Login> {
    const { users, hall } = this.#host;
    if (!this.areRequired) return users.openLogin(protocol);
    const id = claim?.credential.accessKeyId ?? '';
    const { logins, clock } = hall;
    const waitMs = logins.admit(request.address, id);
    if (waitMs === undefined)
      throw new AwsError('Throttling', 'Too many signatures were wrong; try again later.');
    if (waitMs > 0) await new Promise<void>((resolve) => void clock.setTimer(waitMs, resolve));
    try {
      const options: SignatureOptions = {
        secretOf: (key) => users.accessKey(protocol, key)?.secret,
        nowMs: clock.now(),
        services: ['sqs', 'sns'],
      };
      const { accessKeyId } = this.#verifier.verify(signable(request, body), options, claim);
      const key = users.accessKey(protocol, accessKeyId)!;
      logins.succeeded(request.address, id);
      return users.loginOf(protocol, key.user, 'access-key', accessKeyId);
    } catch (error) {
      if (error instanceof AwsError && error.kind === 'SignatureDoesNotMatch')
        logins.failed(request.address, id);
      throw error;
    }
  }
}

const noBody = new Uint8Array();

function signable({ method, target, headers }: HttpRequest, body: Uint8Array): SignableRequest {
  return { method, target, headers, body };
}
