import { AppError } from '#core/errors.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { jsonAnswer } from '#services/api/wire/call.ts';
import type { PublicRoute } from '#services/api/wire/route.ts';

/** The Kubernetes minor that the client tests run with; claiming another would be a guess (kube-api.md 3.1). */
const kubernetes = { major: '1', minor: '37', patch: '2' } as const;

/** `/version`, and the probes of load balancers. They hold nothing of a tenant. */
export function versionRoutes(deps: ApiDeps): readonly PublicRoute[] {
  return [
    { method: 'GET', url: '/version', audit: 'version', permission: open('clients ask it before they sign in'), handler: async () => jsonAnswer(200, versionBody()) },
    probe('/livez', async () => undefined),
    probe('/healthz', async () => undefined),
    probe('/readyz', async () => {
      await storeAnswers(deps);
    }),
  ];
}

function open(because: string): PublicRoute['permission'] {
  return { is: 'public', because };
}

function probe(url: string, check: () => Promise<void>): PublicRoute {
  return {
    method: 'GET',
    url,
    audit: 'probe',
    permission: open('load balancers have no token'),
    handler: async () => {
      await check();
      return { is: 'text', status: 200, text: 'ok', contentType: 'text/plain; charset=utf-8' };
    },
  };
}

/** Throws AppError unavailable when the database does not answer. */
async function storeAnswers(deps: ApiDeps): Promise<void> {
  try {
    await deps.db.directory.tenantByName('');
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('unavailable', 'the database does not answer', {}, { cause: error });
  }
}

function versionBody(): Readonly<Record<string, string>> {
  const { major, minor, patch } = kubernetes;
  return {
    major,
    minor,
    gitVersion: `v${major}.${minor}.${patch}+weir.0.1`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '2026-11-24T00:00:00Z',
    goVersion: 'none (Node.js)',
    compiler: 'none',
    platform: `${process.platform}/${process.arch}`,
  };
}
