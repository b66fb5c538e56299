import type { Resource } from '#core/resource.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { auditReveal } from '#services/api/read/audit-read.ts';
import { readWatchOptions } from '#services/api/read/list-options.ts';
import { partsOf, type Reading } from '#services/api/read/reading.ts';
import { recheck } from '#services/api/read/recheck.ts';
import { runWatch } from '#services/api/read/watch.ts';
import { watchEvents } from '#services/api/read/watch-events.ts';
import { negotiate } from '#services/api/wire/accept.ts';
import type { ResourceRoute } from '#services/api/wire/route.ts';

/** WATCH of a collection: one JSON object per line until the time is over (kube-api.md section 4). */
export function watchHandler(deps: ApiDeps, resource: Resource): ResourceRoute['handler'] {
  return async (call, grant) => {
    const view = negotiate(call.headers.accept, 'objects');
    const options = readWatchOptions(call.query, resource);
    const parts = partsOf(resource, grant, call).map((part) => ({ ...part, reveal: part.reveal && view.as === 'whole' }));
    const reading: Reading = { resource, parts, selectors: options.selectors };
    await auditReveal(deps, call, parts, { kind: resource.kind, verb: 'watch', namespace: call.params.namespace ?? '', name: '' });
    const events = watchEvents({ resource, view, query: call.query, nowMs: () => deps.clock.nowMs() });
    const rights = recheck(deps, resource, call, grant);
    return {
      is: 'stream',
      contentType: 'application/json',
      run: (sink) => runWatch({ deps, reading, options, events, rights, expiresAtMs: call.principal.expiresAtMs }, sink),
    };
  };
}
