import type { Agent } from 'node:https';
import { isObject, type JsonObject, parseJson, stringifyJson, textAt } from '#core/json.ts';
import { type CliFailure, refused, unanswered } from '#services/cli/failure.ts';
import { send } from '#services/cli/http/send.ts';
import { version } from '#services/cli/version.ts';

export const fieldManager = 'weir-onboard';
const userAgent = `${fieldManager}/${version}`;
const timeoutMs = 30_000;
const maxBytes = 16 * 1024 * 1024;

/** What onboarding asks of a workload cluster, as the operator. */
export type Workload = Readonly<{
  server: string;
  /** The object, or null when it is not there. */
  get(object: JsonObject): Promise<JsonObject | null>;
  /** Server-side apply as `weir-onboard`; `dryRun` changes nothing. Answers with the object as it is afterwards. */
  apply(object: JsonObject, options: Readonly<{ dryRun: boolean }>): Promise<JsonObject>;
  /** A token of a service account by TokenRequest: without audiences, for as long as the cluster grants of `seconds`. */
  mintToken(
    account: Readonly<{ namespace: string; name: string }>,
    seconds: number,
  ): Promise<Readonly<{ token: string; expiresAt: string }>>;
}>;

/** How the operator reaches the cluster. Credentials stay in here: nothing of it is ever given to the plane. */
export type OperatorAccess = Readonly<{ server: string; agent: Agent; headers: Readonly<Record<string, string>> }>;

/** The kinds that onboarding writes. */
const plurals: Readonly<Record<string, string>> = Object.freeze({
  Namespace: 'namespaces',
  ServiceAccount: 'serviceaccounts',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  ClusterRole: 'clusterroles',
});

/** Calls with the operator's own credential. Each throws CliFailure when the cluster says no (exit 1) or does not answer (exit 2). */
export function openWorkload(access: OperatorAccess, signal: AbortSignal): Workload {
  const call = async (method: string, path: string, body?: JsonObject): Promise<Readonly<{ status: number; body: JsonObject }>> => {
    const contentType = method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json';
    const url = new URL(`${access.server.replace(/\/$/, '')}${path}`);
    const headers = {
      ...access.headers,
      accept: 'application/json',
      'user-agent': userAgent,
      ...(body === undefined ? {} : { 'content-type': contentType }),
    };
    const content = body === undefined ? {} : { body: stringifyJson(body) };
    const answer = await send({ agent: access.agent, url, method, headers, ...content, signal, timeoutMs, maxBytes });
    return { status: answer.status, body: parseBody(answer.text, access.server, answer.status) };
  };
  return Object.freeze({
    server: access.server,
    get: async (object: JsonObject) => {
      const answer = await call('GET', pathOf(object));
      if (answer.status === 404) return null;
      return good(answer, object, 'read');
    },
    apply: async (object: JsonObject, { dryRun }: Readonly<{ dryRun: boolean }>) => {
      const query = `fieldManager=${fieldManager}&force=true${dryRun ? '&dryRun=All' : ''}`;
      return good(await call('PATCH', `${pathOf(object)}?${query}`, object), object, 'applied');
    },
    mintToken: async ({ namespace, name }: Readonly<{ namespace: string; name: string }>, seconds: number) => {
      const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: seconds } };
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } };
      const body = good(await call('POST', `${pathOf(account)}/token`, request), account, 'asked for a token');
      const token = textAt(body, 'status', 'token');
      const expiresAt = textAt(body, 'status', 'expirationTimestamp');
      if (token === undefined || expiresAt === undefined) throw unanswered(`${access.server} answered a token request without a token`);
      return { token, expiresAt };
    },
  });
}

function parseBody(text: string, server: string, status: number): JsonObject {
  try {
    const body = parseJson(text);
    if (isObject(body)) return body;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw unanswered(`${server} is no Kubernetes API server: it answered ${status} without a JSON object`);
}

function good(answer: Readonly<{ status: number; body: JsonObject }>, object: JsonObject, what: string): JsonObject {
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  throw failureOf(answer, describe(object), what);
}

function failureOf(answer: Readonly<{ status: number; body: JsonObject }>, object: string, what: string): CliFailure {
  const message = textAt(answer.body, 'message') ?? `status ${answer.status}`;
  const text = `${object} could not be ${what} in the cluster: ${message}`;
  const status = { code: answer.status, reason: textAt(answer.body, 'reason') ?? '' };
  if (answer.status === 401) return refused(text, { next: 'log in to the cluster again, then run the same command' });
  if (answer.status === 403)
    return refused(text, {
      next: 'use a kubeconfig that may create namespaces, accounts and role bindings there, or hand the YAML of --dry-run to somebody who may',
    });
  return answer.status >= 500 ? unanswered(text, { status }) : refused(text, { status });
}

/** `Role/weir-system/weir-bootstrap`. */
export function describe(object: JsonObject): string {
  const namespace = textAt(object, 'metadata', 'namespace');
  const name = textAt(object, 'metadata', 'name') ?? '';
  return `${textAt(object, 'kind') ?? ''}/${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

function pathOf(object: JsonObject): string {
  const apiVersion = textAt(object, 'apiVersion') ?? '';
  const kind = textAt(object, 'kind') ?? '';
  const plural = plurals[kind];
  if (plural === undefined) throw new Error(`onboarding writes no ${kind}`);
  const namespace = textAt(object, 'metadata', 'namespace');
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${plural}/${encodeURIComponent(textAt(object, 'metadata', 'name') ?? '')}`;
}
