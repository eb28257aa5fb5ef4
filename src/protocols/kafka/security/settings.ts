import { PrincipalMapping } from './principal-mapping.ts';

/** Broker configs about security with text values, by Kafka's names. */
export interface SecuritySettings {
  /** Principals that may do everything: `User:ann;User:ben`. */
  readonly 'super.users': string;
  /** Whether everything is allowed on a resource that no ACL covers. */
  readonly 'allow.everyone.if.no.acl.found': 'true' | 'false';
  /** How the name of a principal is derived from the subject of a client's certificate. */
  readonly 'ssl.principal.mapping.rules': string;
  /** Whether clients must present a certificate, if `kafka-tls-ca` is set. */
  readonly 'ssl.client.auth': 'required' | 'requested' | 'none';
}

export type SecuritySettingName = keyof SecuritySettings;

interface TextRule {
  readonly default: string;
  /** The reason why a value is invalid; undefined if it is valid. */
  problemOf(value: string): string | undefined;
}

export const securitySettingRules: { readonly [N in SecuritySettingName]: TextRule } = {
  'super.users': {
    default: '',
    problemOf: (value) => {
      const wrong = partsOf(value).find((principal) => !/^User:./s.test(principal));
      return wrong === undefined ? undefined : `"${wrong}" is no principal, such as User:ann`;
    },
  },
  'allow.everyone.if.no.acl.found': {
    default: 'false',
    problemOf: (value) => (value === 'true' || value === 'false' ? undefined : 'it must be true or false'),
  },
  'ssl.principal.mapping.rules': {
    default: 'DEFAULT',
    problemOf: (value) => {
      try {
        return void new PrincipalMapping(value);
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
  },
  'ssl.client.auth': {
    default: 'required',
    problemOf: (value) =>
      ['required', 'requested', 'none'].includes(value)
        ? undefined
        : 'it must be required, requested or none',
  },
};

/** The principals of `super.users`. */
export function superUsersOf({ 'super.users': text }: SecuritySettings): ReadonlySet<string> {
  return new Set(partsOf(text));
}

function partsOf(text: string): string[] {
  return text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
