import { describe, expect, it } from 'vitest';
import type { Call } from '#services/api/wire/call.ts';
import { type HealthCheck, healthRoutes, type Probe } from './health-routes.ts';

function check(name: string, live: boolean, probe: Probe | Error | 'never'): HealthCheck {
  return {
    name,
    live,
    probe: async () => {
      if (probe === 'never') return new Promise<Probe>(() => undefined);
      if (probe instanceof Error) throw probe;
      return probe;
    },
  };
}

async function ask(
  checks: readonly HealthCheck[],
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<Readonly<{ status: number; text: string }>> {
  const route = healthRoutes(checks).find((one) => one.url === path);
  if (route?.permission.is !== 'public') throw new Error(`${path} is not public`);
  const call: Call = {
    method: 'GET',
    path,
    params: {},
    query: new Map(Object.entries(query)),
    headers: {},
    body: null,
    auditId: 'a',
    signal: new AbortController().signal,
  };
  const answer = await (route as Extract<typeof route, { permission: { is: 'public' } }>).handler(call);
  if (answer.is !== 'text') throw new Error('health answers text');
  return { status: answer.status, text: answer.text };
}

const database = check('database', true, { is: 'ok' });

describe('health', () => {
  it('ok without details; a line per check with ?verbose', async () => {
    expect(await ask([database], '/readyz')).toEqual({ status: 200, text: 'ok' });
    expect((await ask([database], '/readyz', { verbose: '' })).text).toBe('[+]ping ok\n[+]database ok\nreadyz check passed\n');
  });

  it('a part that is degraded is said and fails nothing', async () => {
    const queue = check('queue', false, { is: 'degraded', note: 'in PostgreSQL; set WEIR_REDIS_URL' });
    expect(await ask([queue], '/readyz', { verbose: '1' })).toEqual({
      status: 200,
      text: '[+]ping ok\n[+]queue degraded: in PostgreSQL; set WEIR_REDIS_URL\nreadyz check passed\n',
    });
  });

  it('a part that failed: 500 with the lines, even without ?verbose; an error’s own text stays in the log', async () => {
    const broken = check('database', true, new Error('password authentication failed for user weir_app'));
    expect(await ask([broken], '/readyz')).toEqual({
      status: 500,
      text: '[+]ping ok\n[-]database failed: reason withheld; the log has it\nreadyz check failed\n',
    });
  });

  it('only what makes a restart worthwhile counts for /livez; ?exclude leaves one out', async () => {
    const migrations = check('migrations', false, { is: 'failed', note: 'schema is older' });
    expect((await ask([database, migrations], '/livez')).status).toBe(200);
    expect((await ask([database, migrations], '/healthz')).status).toBe(500);
    expect((await ask([database, migrations], '/readyz', { exclude: 'migrations' })).status).toBe(200);
  });

  it('a check that never answers fails after its time', async () => {
    expect(await ask([check('database', true, 'never')], '/readyz')).toMatchObject({
      status: 500,
      text: expect.stringContaining('no answer within 2000 ms'),
    });
  });
});
