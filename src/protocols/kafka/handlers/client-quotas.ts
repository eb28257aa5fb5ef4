import {
  ErrorCode,
  type AlterClientQuotasRequest,
  type DescribeClientQuotasRequest,
  type ResponseDraft,
} from '../../../wire/kafka/index.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../errors.ts';
import type { Handler } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import {
  quotaKeys,
  textOfEntity,
  wholeQuotas,
  type QuotaEntity,
  type QuotaKey,
  type Quotas,
  type QuotaValues,
} from '../quotas/index.ts';

type Entry = AlterClientQuotasRequest['entries'][number];
type Component = DescribeClientQuotasRequest['components'][number];
type EntityDraft = NonNullable<ResponseDraft<'DescribeClientQuotas'>['entries']>[number]['entity'];

/** How a component of a filter matches the name of an entity. */
const Match = { exact: 0, default: 1, any: 2 } as const;

/**
 * What a filter requires for each kind of name: a name, null for the default, or 'any'; undefined for no
 * requirement.
 */
interface Wanted {
  readonly user?: string | null | { readonly any: true };
  readonly clientId?: string | null | { readonly any: true };
  readonly isStrict: boolean;
}

export const describeClientQuotas: Handler<'DescribeClientQuotas'> = async (request, { host, session }) => {
  try {
    const wanted = wantedOf(request);
    const found = await inTurns(host.quotas.entries(), session, ([entity, values]) =>
      wanted !== undefined && matches(wanted, entity)
        ? { entity: draftOf(entity), values: Object.entries(values).map(([key, value]) => ({ key, value })) }
        : undefined,
    );
    const entries = found.filter((entry) => entry !== undefined);
    return { errorCode: ErrorCode.NONE, errorMessage: null, entries };
  } catch (error) {
    return { errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error), entries: null };
  }
};

/** Undefined if nothing can match, since addresses have no quotas here. Throws a KafkaError. */
function wantedOf({ components, strict }: DescribeClientQuotasRequest): Wanted | undefined {
  const wanted: { -readonly [K in keyof Wanted]: Wanted[K] } = { isStrict: strict };
  const types = new Set<string>();
  for (const component of components) {
    const { entityType } = component;
    if (entityType === '') throw invalidRequest('Invalid empty entity type.');
    if (types.has(entityType))
      throw invalidRequest(`Entity type ${entityType} cannot appear more than once in the filter.`);
    types.add(entityType);
    const match = matchOf(component);
    if (entityType === 'user') wanted.user = match;
    else if (entityType === 'client-id') wanted.clientId = match;
    else if (entityType !== 'ip')
      throw new KafkaError(ErrorCode.UNSUPPORTED_VERSION, `Unsupported entity type ${entityType}`);
  }
  if (!types.has('ip')) return wanted;
  if (types.size > 1)
    throw invalidRequest(
      'Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component.',
    );
  return undefined;
}

/** Throws a KafkaError INVALID_REQUEST. */
function matchOf({ matchType, match }: Component): string | null | { readonly any: true } {
  switch (matchType) {
    case Match.exact:
      if (match === null)
        throw invalidRequest('Request specified MATCH_TYPE_EXACT, but set match string to null.');
      return match;
    case Match.default:
      if (match !== null)
        throw invalidRequest('Request specified MATCH_TYPE_DEFAULT, but also specified a match string.');
      return null;
    case Match.any:
      if (match !== null)
        throw invalidRequest('Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.');
      return { any: true };
    default:
      throw invalidRequest(`Unknown match type ${matchType}`);
  }
}

function matches({ isStrict, ...wanted }: Wanted, entity: QuotaEntity): boolean {
  for (const kind of ['user', 'clientId'] as const) {
    const asked = wanted[kind];
    const name = entity[kind];
    if (asked === undefined) {
      if (isStrict && name !== undefined) return false;
    } else if (name === undefined || (typeof asked !== 'object' || asked === null ? asked !== name : false))
      return false;
  }
  return true;
}

function draftOf({ user, clientId }: QuotaEntity): EntityDraft {
  return [
    ...(user === undefined ? [] : [{ entityType: 'user', entityName: user }]),
    ...(clientId === undefined ? [] : [{ entityType: 'client-id', entityName: clientId }]),
  ];
}

/** Answered once the quotas are on disk. */
export const alterClientQuotas: Handler<'AlterClientQuotas'> = async (
  { entries, validateOnly },
  { host, session },
) => {
  const seen = new Set<string>();
  const pending = await inTurns(entries, session, (entry) => ({
    done: alter(entry, seen, validateOnly, host.quotas),
  }));
  const results = await Promise.all(pending.map(({ done }) => done));
  return { entries: results };
};

async function alter(
  { entity: asked, ops }: Entry,
  seen: Set<string>,
  validateOnly: boolean,
  quotas: Quotas,
): Promise<ResponseDraft<'AlterClientQuotas'>['entries'][number]> {
  try {
    const entity = entityOf(asked);
    const text = textOfEntity(entity);
    if (seen.has(text)) throw invalidRequest('An entity cannot be altered twice in the same request.');
    seen.add(text);
    const values = changed(quotas.of(entity), ops);
    if (!quotas.hasRoomFor(entity) && Object.keys(values).length > 0)
      throw new KafkaError(
        ErrorCode.POLICY_VIOLATION,
        `There are ${quotas.size} quotas, and no room for more.`,
      );
    if (!validateOnly) await quotas.set(entity, values);
    return { errorCode: ErrorCode.NONE, errorMessage: null, entity: asked };
  } catch (error) {
    return { errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error), entity: asked };
  }
}

/** Throws a KafkaError INVALID_REQUEST. */
function entityOf(parts: Entry['entity']): QuotaEntity {
  const entity: { user?: string | null; clientId?: string | null } = {};
  if (parts.length === 0) throw invalidRequest('Invalid empty client quota entity');
  for (const { entityType, entityName } of parts) {
    const kind = entityType === 'user' ? 'user' : entityType === 'client-id' ? 'clientId' : undefined;
    if (kind === undefined)
      throw invalidRequest(
        entityType === 'ip'
          ? 'Quotas of IP addresses are not supported.'
          : `Unhandled client quota entity type: ${entityType}`,
      );
    if (entityName === '') throw invalidRequest(`Empty name of the ${entityType} entity`);
    if (entity[kind] !== undefined)
      throw invalidRequest(`Invalid client quota entity, duplicate entity entry ${entityType}`);
    entity[kind] = entityName;
  }
  return entity;
}

/** Throws a KafkaError INVALID_REQUEST. */
function changed(before: QuotaValues, ops: Entry['ops']): QuotaValues {
  const values: { [K in QuotaKey]?: number } = { ...before };
  const keys = new Set<string>();
  for (const { key, value, remove } of ops) {
    if (keys.has(key)) throw invalidRequest(`Duplicate quota key ${key}`);
    keys.add(key);
    const known = quotaKeys.find((each) => each === key);
    if (known === undefined) {
      if (remove) continue;
      throw invalidRequest(`Invalid configuration key ${key}`);
    }
    if (remove) delete values[known];
    else {
      check(known, value);
      values[known] = value;
    }
  }
  return values;
}

function check(key: QuotaKey, value: number): void {
  if (!(value > 0)) throw invalidRequest(`Quota ${key} must be greater than 0`);
  if (!wholeQuotas.has(key)) {
    if (!Number.isFinite(value)) throw invalidRequest(`Quota ${key} must be a number`);
    return;
  }
  if (value > 2 ** 63) throw invalidRequest(`Proposed value for ${key} is too large for a LONG.`);
  if (value % 1 > 1e-6) throw invalidRequest(`${key} cannot be a fractional value.`);
}

function invalidRequest(problem: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REQUEST, problem);
}
