import type { Answer, Call } from '#services/api/wire/call.ts';
import type { Route } from '#services/api/wire/route.ts';

/** `degraded` works, with less: the note says what and how to get it back. It is shown and fails nothing. */
export type Probe =
  | Readonly<{ is: 'ok'; note?: string }>
  | Readonly<{ is: 'degraded'; note: string }>
  | Readonly<{ is: 'failed'; note: string }>;

/** One named look at a part. `live`: without it the process is worth restarting; all count for readiness. */
export type HealthCheck = Readonly<{ name: string; live: boolean; probe(signal: AbortSignal): Promise<Probe> }>;

const paths = ['livez', 'readyz', 'healthz'] as const;
type Path = (typeof paths)[number];

const probeTimeoutMs = 2_000;
const because = 'load balancers and kubelets have no token; the answer holds no tenant data';

/**
 * `/livez`, `/readyz` and `/healthz` in the form of kube-apiserver: `ok`, or with `?verbose` a line per check; `?exclude=<name>` leaves one out.
 * 500 when a check fails. Notes are the plane's own sentences, never an error's text.
 */
export function healthRoutes(checks: readonly HealthCheck[]): readonly Route[] {
  return paths.map((path) => ({
    method: 'GET',
    url: `/${path}`,
    permission: { is: 'public', because },
    audit: 'health',
    handler: (call: Call) => answer(path, checks, call),
  }));
}

async function answer(path: Path, checks: readonly HealthCheck[], call: Call): Promise<Answer> {
  const excluded = (call.query.get('exclude') ?? '').split(',');
  const chosen = checks.filter((one) => (path !== 'livez' || one.live) && !excluded.includes(one.name));
  const results = await Promise.all(chosen.map(async (check) => ({ name: check.name, probe: await look(check, call.signal) })));
  const failed = results.some(({ probe }) => probe.is === 'failed');
  const lines = [{ name: 'ping', probe: { is: 'ok' } satisfies Probe }, ...results].map(({ name, probe }) => lineOf(name, probe));
  const verbose = call.query.has('verbose') || failed;
  const text = verbose ? `${lines.join('\n')}\n${path} check ${failed ? 'failed' : 'passed'}\n` : 'ok';
  return { is: 'text', status: failed ? 500 : 200, text, contentType: 'text/plain; charset=utf-8' };
}

async function look(check: HealthCheck, signal: AbortSignal): Promise<Probe> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(probeTimeoutMs)]);
  const late = new Promise<Probe>((resolve) => {
    limit.addEventListener('abort', () => resolve({ is: 'failed', note: `no answer within ${probeTimeoutMs} ms` }), { once: true });
  });
  const asked = check.probe(limit).catch((): Probe => ({ is: 'failed', note: 'reason withheld; the log has it' }));
  return Promise.race([asked, late]);
}

function lineOf(name: string, probe: Probe): string {
  const note = probe.note === undefined ? '' : `: ${probe.note}`;
  switch (probe.is) {
    case 'ok':
      return `[+]${name} ok${note}`;
    case 'degraded':
      return `[+]${name} degraded${note}`;
    case 'failed':
      return `[-]${name} failed${note}`;
  }
}
