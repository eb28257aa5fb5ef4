import { ErrorCode, type CreateAclsRequest, type ResponseDraft } from '../../../wire/kafka/index.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../errors.ts';
import type { Handler, RequestContext } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import {
  checkNewAcl,
  isKnownFilter,
  matchesFilter,
  type Acl,
  type AclFilter,
  type Acls,
} from '../security/index.ts';

type Creation = CreateAclsRequest['creations'][number];
type ResourceDraft = ResponseDraft<'DescribeAcls'>['resources'][number];
type DeletedDraft = ResponseDraft<'DeleteAcls'>['filterResults'][number]['matchingAcls'][number];

/** Entries that one DeleteAcls request may match. An entry counts once for each filter that matches it. */
const matchesMax = 100_000;

/** Throws a KafkaError SECURITY_DISABLED if there are no users. */
function aclsOf({ host }: RequestContext): Acls {
  if (host.users.requires('kafka')) return host.acls;
  throw new KafkaError(
    ErrorCode.SECURITY_DISABLED,
    'No users are configured, so every client may do everything.',
  );
}

export const describeAcls: Handler<'DescribeAcls'> = async (request, context) => {
  try {
    const { resourceTypeFilter, resourceNameFilter, patternTypeFilter, principalFilter, hostFilter } =
      request;
    const filter: AclFilter = {
      resourceType: resourceTypeFilter,
      resourceName: resourceNameFilter,
      patternType: patternTypeFilter,
      principal: principalFilter,
      host: hostFilter,
      operation: request.operation,
      permission: request.permissionType,
    };
    const acls = aclsOf(context);
    // As in Kafka, a filter with an unknown value matches nothing.
    const candidates = isKnownFilter(filter) ? acls.candidates(filter) : [];
    const found = await inTurns(candidates, context.session, (acl) =>
      matchesFilter(filter, acl) ? acl : undefined,
    );
    const matching = found.filter((acl) => acl !== undefined);
    return { errorCode: ErrorCode.NONE, errorMessage: null, resources: byResource(matching) };
  } catch (error) {
    return { errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error), resources: [] };
  }
};

function byResource(acls: readonly Acl[]): readonly ResourceDraft[] {
  const resources = new Map<
    string,
    Omit<ResourceDraft, 'acls'> & { acls: ResourceDraft['acls'][number][] }
  >();
  for (const { resourceType, resourceName, patternType, principal, host, operation, permission } of acls) {
    const key = `${resourceType}/${patternType}/${resourceName}`;
    let resource = resources.get(key);
    if (resource === undefined)
      resources.set(key, (resource = { resourceType, resourceName, patternType, acls: [] }));
    resource.acls.push({ principal, host, operation, permissionType: permission });
  }
  return [...resources.values()];
}

/** Answered once the ACLs are on disk. */
export const createAcls: Handler<'CreateAcls'> = async ({ creations }, context) => {
  const durable: Promise<void>[] = [];
  const results = await inTurns(creations, context.session, (creation) => {
    try {
      durable.push(create(aclsOf(context), creation));
      return { errorCode: ErrorCode.NONE, errorMessage: null };
    } catch (error) {
      return { errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error) };
    }
  });
  if (durable.length > 0) context.host.aclsChanged();
  const outcome = await settled(durable);
  return { results: outcome === undefined ? results : creations.map(() => outcome) };
};

/** Creates an ACL, which applies at once. Throws a KafkaError. */
function create(acls: Acls, creation: Creation): Promise<void> {
  const {
    resourceType,
    resourceName,
    resourcePatternType: patternType,
    principal,
    host,
    operation,
  } = creation;
  const acl: Acl = {
    resourceType,
    resourceName,
    patternType,
    principal,
    host,
    operation,
    permission: creation.permissionType,
  };
  checkNewAcl(acl);
  if (!acls.has(acl) && !acls.hasRoomFor(acl))
    throw new KafkaError(ErrorCode.POLICY_VIOLATION, `There are ${acls.size} ACLs, and no room for more.`);
  return acls.add(acl);
}

/** Answered once the ACLs are removed from the disk, too. */
export const deleteAcls: Handler<'DeleteAcls'> = async ({ filters }, context) => {
  const durable: Promise<void>[] = [];
  const found = new Set<Acl>();
  let matches = 0;
  const filterResults = await inTurns(filters, context.session, (asked) => {
    try {
      const filter: AclFilter = {
        resourceType: asked.resourceTypeFilter,
        resourceName: asked.resourceNameFilter,
        patternType: asked.patternTypeFilter,
        principal: asked.principalFilter,
        host: asked.hostFilter,
        operation: asked.operation,
        permission: asked.permissionType,
      };
      const acls = aclsOf(context);
      if (!isKnownFilter(filter)) throw invalidRequest('The filter has unknown elements.');
      const matching = acls.matching(filter);
      matches += matching.length;
      if (matches > matchesMax)
        throw invalidRequest(`The filters match more than ${matchesMax} ACLs; send some of them only.`);
      for (const acl of matching) found.add(acl);
      return { errorCode: ErrorCode.NONE, errorMessage: null, matchingAcls: matching.map(deleted) };
    } catch (error) {
      return { errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error), matchingAcls: [] };
    }
  });
  // Removed only now, so that each filter lists all of its matches.
  for (const acl of found) durable.push(context.host.acls.remove(acl));
  if (found.size > 0) context.host.aclsChanged();
  const outcome = await settled(durable);
  return {
    filterResults:
      outcome === undefined ? filterResults : filters.map(() => ({ ...outcome, matchingAcls: [] })),
  };
};

function deleted({
  resourceType,
  resourceName,
  patternType,
  principal,
  host,
  operation,
  permission,
}: Acl): DeletedDraft {
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    resourceType,
    resourceName,
    patternType,
    principal,
    host,
    operation,
    permissionType: permission,
  };
}

/** Undefined once all changes are durable; otherwise the error. */
async function settled(
  durable: readonly Promise<void>[],
): Promise<{ readonly errorCode: ErrorCode; readonly errorMessage: string } | undefined> {
  try {
    await Promise.all(durable);
    return undefined;
  } catch (error) {
    return { errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error) };
  }
}

function invalidRequest(problem: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REQUEST, problem);
}
