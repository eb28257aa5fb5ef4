import type { Attributes, BrokerError } from '../../../broker/index.ts';
import { parseVerifier, verifierText, type PasswordVerifier, type User } from '../../users/index.ts';

/** The name under which the broker keeps users; each attribute is named after its user. */
const userAttributes = 'kafka-users';
/** The protocols by which kept users may log in. The admin HTTP is not among them. */
const doors: ReadonlySet<string> = new Set(['kafka', 'nats']);

/**
 * The users that Kafka clients manage, kept durably among the broker's attributes: names and password
 * verifiers. Their rights come from ACLs.
 */
export class KeptUsers {
  readonly #attributes: Attributes;
  readonly #max: number;
  readonly #byName = new Map<string, User>();

  constructor(attributes: Attributes, max: number) {
    this.#attributes = attributes;
    this.#max = max;
    for (const user of keptUsers(attributes)) this.#byName.set(user.name, user);
  }

  [Symbol.iterator](): Iterator<User> {
    return this.#byName.values();
  }

  verifierOf(name: string): PasswordVerifier | undefined {
    const password = this.#byName.get(name)?.credentials.password;
    return password?.kind === 'verifier' ? password.verifier : undefined;
  }

  /** Whether there is room for the user. */
  hasRoomFor(name: string): boolean {
    return this.#byName.has(name) || this.#byName.size < this.#max;
  }

  refusalOf(name: string, verifier: PasswordVerifier): BrokerError | undefined {
    return this.#attributes.refusalOf(userAttributes, name, verifierText(verifier));
  }

  /** Applies at once, and resolves when it is durable. A verifier without keys removes the user. */
  async set(name: string, verifier: PasswordVerifier): Promise<void> {
    const text = verifierText(verifier);
    const value = text === '' ? undefined : text;
    const isDurable = this.#attributes.set(userAttributes, name, value);
    if (this.#attributes.get(userAttributes, name) === value) {
      if (value === undefined) this.#byName.delete(name);
      else this.#byName.set(name, userOf(name, verifier));
    }
    await isDurable;
  }
}

/** The users that the broker keeps. */
export function* keptUsers(attributes: Attributes): Iterable<User> {
  for (const name of attributes.names(userAttributes)) {
    const verifier = parseVerifier(String(attributes.get(userAttributes, name)));
    if (verifier) yield userOf(name, verifier);
  }
}

function userOf(name: string, verifier: PasswordVerifier): User {
  return {
    name,
    credentials: { password: { kind: 'verifier', verifier } },
    permissions: {},
    protocols: doors,
  };
}
