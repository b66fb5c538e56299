import { createHash } from 'node:crypto';
import { AppError } from '#core/errors.ts';
import { type JsonObject, stringifyJson } from '#core/json.ts';
import { apiVersionOf } from '#core/resource.ts';
import { negotiate } from '#services/api/wire/accept.ts';
import { type Answer, type Call, jsonAnswer } from '#services/api/wire/call.ts';
import type { Served } from '#services/api/wire/discovery.ts';
import { groupDocument } from '#services/api/wire/open-api/document.ts';
import type { SignedInRoute } from '#services/api/wire/route.ts';

/** `path` is `api/v1` or `apis/<group>/<version>`. */
type Document = Readonly<{ path: string; text: string; hash: string }>;

const sameForAll = 'the documents do not depend on roles';

/** OpenAPI v3: a root that names the group documents by hash, so that clients keep them for good (kube-api.md 5.8). */
export function openApiRoutes(served: Served): readonly SignedInRoute[] {
  const documents = documentsOf(served);
  const root: JsonObject = {
    paths: Object.fromEntries(documents.map(({ path, hash }) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }])),
  };
  return [
    get('/openapi/v3', async () => jsonAnswer(200, root)),
    get('/openapi/v2', async (call) => {
      negotiate(call.headers.accept, 'plain');
      throw new AppError('notAcceptable', 'OpenAPI v2 is not served; use /openapi/v3');
    }),
    ...documents.map((document) => get(`/openapi/v3/${document.path}`, async (call) => documentAnswer(call, document))),
  ];
}

function get(url: string, handler: SignedInRoute['handler']): SignedInRoute {
  return { method: 'GET', url, audit: 'openapi', permission: { is: 'signedIn', because: sameForAll }, handler };
}

function documentsOf({ resources }: Served): readonly Document[] {
  const versions = [...new Set(resources.map((one) => apiVersionOf(one)))];
  return versions.map((version) => {
    const text = stringifyJson(
      groupDocument(
        resources.filter((one) => apiVersionOf(one) === version),
        version,
      ),
    );
    const hash = createHash('sha512').update(text).digest('hex').toUpperCase();
    return { path: version.includes('/') ? `apis/${version}` : `api/${version}`, text, hash };
  });
}

function documentAnswer(call: Call, { path, text, hash }: Document): Answer {
  const asked = call.query.get('hash');
  const etag = `"${hash}"`;
  if (asked !== undefined && asked !== hash) {
    return { is: 'text', status: 301, text: '', contentType: 'text/plain', headers: { location: `/openapi/v3/${path}?hash=${hash}` } };
  }
  const lasting = asked === undefined ? {} : { 'cache-control': 'public, immutable', expires: 'Fri, 31 Dec 2100 00:00:00 GMT' };
  const headers = { etag, vary: 'Accept', ...lasting };
  if (call.headers['if-none-match'] === etag) return { is: 'text', status: 304, text: '', contentType: 'application/json', headers };
  return { is: 'text', status: 200, text, contentType: 'application/json', headers };
}
