import { jsonAnswer } from '#services/api/wire/call.ts';
import type { PublicRoute } from '#services/api/wire/route.ts';

/** The Kubernetes minor that the client tests run with; claiming another would be a guess (kube-api.md 3.1). */
const kubernetes = { major: '1', minor: '37', patch: '2' } as const;

/** `/version`, without login: clients ask it before they sign in. */
export function versionRoutes(): readonly PublicRoute[] {
  return [
    {
      method: 'GET',
      url: '/version',
      audit: 'version',
      permission: { is: 'public', because: 'clients ask it before they sign in; it holds nothing of a tenant' },
      handler: async () => jsonAnswer(200, versionBody()),
    },
  ];
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
