import { imageTagsPort } from '#adapters/postgres/image-tags.ts';
import { getObject } from '#adapters/postgres/objects.ts';
import { lookupOf } from '#adapters/postgres/unit-lookup.ts';
import { createPatterns } from '#adapters/re2/patterns.ts';
import { AppError } from '#core/errors.ts';
import type { Patterns } from '#core/ports.ts';
import type { Resource } from '#core/resource.ts';
import type { StoredObject } from '#core/store.ts';
import { resource as policies } from '#kinds/image-policy/resource.ts';
import { resource as repositories } from '#kinds/image-repository/resource.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { choiceOf } from '#services/api/routes/image/choice.ts';
import { type Answer, jsonAnswer, type SignedInCall } from '#services/api/wire/call.ts';
import type { Grant } from '#services/api/wire/grant.ts';
import type { Route } from '#services/api/wire/route.ts';
import { objectNotFound } from '#services/api/wire/status.ts';

type ImageDeps = Pick<ApiDeps, 'db'>;
type OneGrant = Extract<Grant, { is: 'one' }>;

const DEFAULT_LIMIT = 500;
const MAX_LIMIT = 10_000;

/**
 * `GET …/imagerepositories/{name}/tags`: the stored tags, in descending byte order, in pages. `GET …/imagepolicies/{name}/choice`: which of them the policy chooses and why each other one
 * lost; `semver`, `alphabetical` or `numerical`, `pattern` and `extract` try another rule. Both read what the last scan stored and ask no registry.
 */
export function imageRoutes(deps: ImageDeps): readonly Route[] {
  const patterns = createPatterns();
  return [
    route(repositories, 'tags', (call, grant, object) => tagsAnswer(deps, call, grant, object)),
    route(policies, 'choice', (call, grant, object) => choiceAnswer(deps, patterns, call, grant, object)),
  ];

  function route(
    resource: Resource,
    name: string,
    answer: (call: SignedInCall, grant: OneGrant, object: StoredObject) => Promise<Answer>,
  ): Route {
    const subresource = resource.subresources.find((one) => one.name === name);
    if (subresource === undefined) throw new Error(`${resource.kind} has no subresource ${name}`);
    return {
      method: 'GET',
      url: `/apis/${resource.group}/${resource.version}/namespaces/:namespace/${resource.plural}/:name/${name}`,
      permission: { is: 'resource', resource, subresource, verb: 'get' },
      audit: name,
      handler: async (call: SignedInCall, grant: Grant) => {
        if (grant.is !== 'one') throw new Error(`${name} are of one object`);
        return answer(call, grant, await objectOf(deps, resource, call, grant));
      },
    };
  }
}

async function objectOf({ db }: ImageDeps, resource: Resource, { params }: SignedInCall, grant: OneGrant): Promise<StoredObject> {
  const { namespace = '', name = '' } = params;
  const object = await db.inTenant(grant.scope, (tx) => getObject(tx, { kind: resource.kind, namespace, name }), { readOnly: true });
  if (object === null) throw objectNotFound(resource, name);
  return object;
}

async function tagsAnswer({ db }: ImageDeps, call: SignedInCall, { scope }: OneGrant, object: StoredObject): Promise<Answer> {
  const limit = limitOf(call.query.get('limit'));
  const before = call.query.get('continue');
  const stored = await imageTagsPort(db, scope).read(object.uid);
  const left = (stored?.tags ?? []).filter((tag) => before === undefined || tag < before).toReversed();
  const page = left.slice(0, limit);
  const last = page.at(-1);
  const metadata = left.length > limit && last !== undefined ? { continue: last } : {};
  const { revision = '', tags = [] } = stored ?? {};
  return jsonAnswer(200, { apiVersion: 'weir.dev/v1', kind: 'ImageTags', metadata, revision, total: tags.length, tags: page });
}

async function choiceAnswer(
  { db }: ImageDeps,
  patterns: Patterns,
  call: SignedInCall,
  { scope }: OneGrant,
  policy: StoredObject,
): Promise<Answer> {
  const ports = { lookup: lookupOf(db, scope, null), imageTags: imageTagsPort(db, scope), patterns };
  const choice = await choiceOf(ports, policy, { limit: limitOf(call.query.get('limit')), asked: (key) => call.query.get(key) });
  return jsonAnswer(200, { apiVersion: 'weir.dev/v1', kind: 'ImageChoice', ...choice });
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) throw new AppError('badRequest', `limit must be a whole number from 1 to ${MAX_LIMIT}`);
  return limit;
}
