import {
  ErrorCode,
  type AlterUserScramCredentialsRequest,
  type ResponseDraft,
} from '../../../wire/kafka/index.ts';
import {
  defaultIterations,
  hashBytes,
  iterationsMax,
  iterationsMin,
  keysOfSalted,
  mayUseProtocol,
  scramHashes,
  userNameCharactersMax,
  type PasswordVerifier,
  type ScramHash,
  type User,
} from '../../users/index.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../errors.ts';
import type { Handler } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import type { KafkaHost } from '../kafka-host.ts';

type Deletion = AlterUserScramCredentialsRequest['deletions'][number];
type Upsertion = AlterUserScramCredentialsRequest['upsertions'][number];
type DescribedUser = ResponseDraft<'DescribeUserScramCredentials'>['results'][number];
type AlteredUser = ResponseDraft<'AlterUserScramCredentials'>['results'][number];

/** `ScramMechanism`. */
const mechanismOf: { readonly [H in ScramHash]: number } = { sha256: 1, sha512: 2 };
const saltBytesMax = 64;

const noUsers = 'No users are configured, so clients do not log in.';

export const describeUserScramCredentials: Handler<'DescribeUserScramCredentials'> = (
  { users: wanted },
  { host },
) => {
  const results: DescribedUser[] = [];
  if (!host.users.requires('kafka'))
    return { errorCode: ErrorCode.SECURITY_DISABLED, errorMessage: noUsers, results };
  if (wanted === null || wanted.length === 0) {
    for (const user of host.users.all()) {
      const described = describe(user);
      if (described) results.push(described);
    }
    return { errorCode: ErrorCode.NONE, errorMessage: null, results };
  }
  const seen = new Map<string, number>();
  for (const { name } of wanted) seen.set(name, (seen.get(name) ?? 0) + 1);
  for (const [name, times] of seen) results.push(answer(name, times, host));
  return { errorCode: ErrorCode.NONE, errorMessage: null, results };
};

function answer(user: string, times: number, { users }: KafkaHost): DescribedUser {
  const refused = (errorCode: ErrorCode, problem: string): DescribedUser => ({
    user,
    errorCode,
    errorMessage: `${problem}: ${user}`,
    credentialInfos: [],
  });
  if (times > 1)
    return refused(
      ErrorCode.DUPLICATE_RESOURCE,
      'Cannot describe SCRAM credentials for the same user twice in a single request',
    );
  const found = users.find('kafka', user);
  return (
    (found && describe(found)) ??
    refused(ErrorCode.RESOURCE_NOT_FOUND, 'Attempt to describe a user credential that does not exist')
  );
}

/** Undefined if the user cannot log in by SCRAM. */
function describe(user: User): DescribedUser | undefined {
  const { password } = user.credentials;
  if (password === undefined || !mayUseProtocol(user, 'kafka')) return undefined;
  const credentialInfos = scramHashes.flatMap((hash) => {
    const iterations = password.kind === 'plain' ? defaultIterations : password.verifier[hash]?.iterations;
    return iterations === undefined ? [] : [{ mechanism: mechanismOf[hash], iterations }];
  });
  return { user: user.name, errorCode: ErrorCode.NONE, errorMessage: null, credentialInfos };
}

/** Answered once the credentials are on disk. */
export const alterUserScramCredentials: Handler<'AlterUserScramCredentials'> = async (
  { deletions, upsertions },
  { host, session },
) => {
  const times = new Map<string, number>();
  for (const { name } of [...deletions, ...upsertions]) times.set(name, (times.get(name) ?? 0) + 1);
  const changes = new Map<string, () => Promise<void>>();
  for (const deletion of deletions) changes.set(deletion.name, () => remove(deletion, host));
  for (const upsertion of upsertions) changes.set(upsertion.name, () => upsert(upsertion, host));
  const outcomes = await inTurns(changes, session, ([user, change]) => ({
    done: alter(user, times.get(user)! > 1, change),
  }));
  host.keptUsersChanged();
  return { results: await Promise.all(outcomes.map(({ done }) => done)) };
};

async function alter(user: string, isTwice: boolean, change: () => Promise<void>): Promise<AlteredUser> {
  try {
    if (isTwice)
      throw new KafkaError(
        ErrorCode.DUPLICATE_RESOURCE,
        'A user credential cannot be altered twice in the same request',
      );
    await change();
    return { user, errorCode: ErrorCode.NONE, errorMessage: null };
  } catch (error) {
    return { user, errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error) };
  }
}

/**
 * Deletes a credential. The change applies at once. Throws, or rejects with, a KafkaError or a BrokerError.
 */
function remove({ name, mechanism }: Deletion, host: KafkaHost): Promise<void> {
  const hash = check(name, mechanism, host);
  const verifier = host.keptUsers.verifierOf(name);
  if (verifier?.[hash] === undefined)
    throw new KafkaError(
      ErrorCode.RESOURCE_NOT_FOUND,
      'Attempt to delete a user credential that does not exist',
    );
  return host.keptUsers.set(name, { ...verifier, [hash]: undefined });
}

/**
 * Adds or replaces a credential. The change applies at once. Throws, or rejects with, a KafkaError or a
 * BrokerError.
 */
function upsert(
  { name, mechanism, iterations, salt, saltedPassword }: Upsertion,
  host: KafkaHost,
): Promise<void> {
  const hash = check(name, mechanism, host);
  if (iterations < iterationsMin) throw unacceptable('Too few iterations');
  if (iterations > iterationsMax) throw unacceptable('Too many iterations');
  if (name.length > userNameCharactersMax || name === '*')
    throw unacceptable(`A user has a name of up to ${userNameCharactersMax} characters, not "*"`);
  if (salt.length === 0 || salt.length > saltBytesMax)
    throw unacceptable(`A salt has 1 to ${saltBytesMax} bytes, not ${salt.length}`);
  if (saltedPassword.length !== hashBytes[hash])
    throw unacceptable(`A salted password has ${hashBytes[hash]} bytes, not ${saltedPassword.length}`);
  const kept = host.keptUsers;
  if (!kept.hasRoomFor(name))
    throw new KafkaError(ErrorCode.POLICY_VIOLATION, 'There is no room for more users');
  const keys = keysOfSalted(hash, saltedPassword, salt, iterations);
  const verifier: PasswordVerifier = { ...kept.verifierOf(name), [hash]: keys };
  return kept.set(name, verifier);
}

/** The hash of the mechanism. Throws a KafkaError. */
function check(name: string, mechanism: number, { users }: KafkaHost): ScramHash {
  if (!users.requires('kafka')) throw new KafkaError(ErrorCode.SECURITY_DISABLED, noUsers);
  if (name === '') throw unacceptable('Username must not be empty');
  const hash = scramHashes.find((each) => mechanismOf[each] === mechanism);
  if (hash === undefined)
    throw new KafkaError(ErrorCode.UNSUPPORTED_SASL_MECHANISM, 'Unknown SCRAM mechanism');
  if (users.isConfigured(name))
    throw unacceptable('The user is in the configuration of the broker; change it there');
  return hash;
}

function unacceptable(problem: string): KafkaError {
  return new KafkaError(ErrorCode.UNACCEPTABLE_CREDENTIAL, problem);
}
