import Value from 'typebox/value';
import { dropToken, putToken } from '#adapters/postgres/directory.ts';
import { AppError, type Cause } from '#core/errors.ts';
import type { JsonObject } from '#core/json.ts';
import { authorize, type Principal, type TokenLimits } from '#core/tenant.ts';
import { parseRfc3339 } from '#core/time.ts';
import { AccessTokenSpec } from '#kinds/access-token/schema.ts';
import { resources } from '#kinds/registry.ts';
import type { Admission, WriteContext } from '#services/api/admission/admission.ts';
import { passedOnRole, requirePerson } from '#services/api/auth/minting.ts';
import { principalKey } from '#services/api/auth/principal-key.ts';
import { newToken, tokenPrefix } from '#services/api/auth/token-text.ts';
import { invalid } from '#services/api/wire/status.ts';

const what = 'AccessTokens';
const minLifeMs = 60_000;

/**
 * A machine token: shown once, kept as a hash. It never has more than its maker has when it is used; here a maker who asks for more than they have now is told so.
 * `status.groups` are the maker’s groups, through which their role of the day is found.
 */
export const accessTokenAdmission: Admission = Object.freeze<Admission>({
  async beforeCreate(_tx, context, draft) {
    const { principal } = context.call;
    requirePerson(principal, what);
    passedOnRole(principal, context.scope.tenantId, what);
    const spec = specOf(draft.body);
    checkExpiry(context, draft.metadata.name, spec);
    checkVerbs(context, draft.metadata.name, spec.verbs);
    return draft;
  },
  newStatus({ call }, uid) {
    return { prefix: tokenPrefix(uid), groups: [...call.principal.groups] };
  },
  async besideCreate(tx, context, object) {
    const { principal } = context.call;
    const spec = specOf(object.body);
    const made = newToken(object.uid);
    await putToken(tx, {
      hash: Buffer.from(made.hash).toString('hex'),
      uid: object.uid,
      name: object.name,
      namespace: object.namespace,
      limits: spec.verbs,
      role: passedOnRole(principal, context.scope.tenantId, what),
      makerKey: principalKey(principal),
      expiresAtMs: parseRfc3339(spec.expiresAt) ?? 0,
    });
    return context.dryRun ? null : { status: { ...object.status, token: made.token } };
  },
  async besideDelete(tx, _context, before) {
    await dropToken(tx, before.uid);
  },
});

function specOf(body: JsonObject): AccessTokenSpec {
  const spec: unknown = body.spec;
  if (!Value.Check(AccessTokenSpec, spec)) throw new Error('an AccessToken that was validated does not fit its schema');
  return spec;
}

function checkExpiry({ deps, resource }: WriteContext, name: string, spec: AccessTokenSpec): void {
  const nowMs = deps.clock.nowMs();
  const maxSeconds = deps.limits.accessTokenMaxSeconds;
  const atMs = parseRfc3339(spec.expiresAt);
  if (atMs !== null && atMs >= nowMs + minLifeMs && atMs <= nowMs + maxSeconds * 1_000) return;
  const message = `Invalid value: ${JSON.stringify(spec.expiresAt)}: must be at least a minute and at most ${Math.floor(maxSeconds / 86_400)} days from now`;
  throw invalid(resource, name, [{ reason: 'FieldValueInvalid', field: 'spec.expiresAt', message }]);
}

/** Nobody can grant more than they have. `*` stands for what the maker may do at the time of use, so it grants nothing by itself. */
function checkVerbs({ call, resource, scope, tenantName }: WriteContext, name: string, limits: TokenLimits): void {
  const causes: Cause[] = [];
  const beyond: string[] = [];
  for (const [plural, verbs] of Object.entries(limits)) {
    if (plural === '*') continue;
    const lacking = lackingVerbs(call.principal, { plural, verbs, tenantId: scope.tenantId, tenantName });
    if (lacking === null)
      causes.push({
        reason: 'FieldValueNotSupported',
        field: `spec.verbs[${plural}]`,
        message: `Unsupported value: ${JSON.stringify(plural)}: no such resource`,
      });
    else beyond.push(...lacking.map((verb) => `${verb} ${plural}`));
  }
  if (causes.length > 0) throw invalid(resource, name, causes);
  if (beyond.length === 0) return;
  const message = `accesstokens.weir.dev "${name}" is forbidden: a token cannot have more than its maker: you lack ${beyond.slice(0, 10).join(', ')}`;
  throw new AppError('forbidden', message, { name, group: 'weir.dev', kind: 'accesstokens' });
}

type Wanted = Readonly<{ plural: string; verbs: TokenLimits[string]; tenantId: string; tenantName: string }>;

/** Verbs that the maker lacks; null for a plural that is not served. */
function lackingVerbs(principal: Principal, { plural, verbs, tenantId, tenantName }: Wanted): readonly string[] | null {
  const [name, subName] = plural.split('/', 2);
  const resource = resources.find((one) => one.plural === name);
  const subresource = resource?.subresources.find((one) => one.name === subName);
  if (resource === undefined || (subName !== undefined && subresource === undefined)) return null;
  const sub = subresource === undefined ? {} : { subresource };
  return verbs.filter((verb) => !authorize(principal, { verb, resource, ...sub, tenantId, tenantName }).allowed);
}
