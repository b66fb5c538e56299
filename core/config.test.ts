import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError, configPage, describeConfig, readConfig } from './config.ts';
import { configTable } from './config-table.ts';

function problemsOf(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('readConfig', () => {
  it('gives the documented defaults for an empty environment, and ignores other programs’ variables', () => {
    const config = readConfig({ PATH: '/bin', WEIR_TOKEN: 'abc', HOME: '/root' });
    expect(config).toMatchObject({
      port: 8_443,
      stateDir: '.weir',
      databaseUrl: null,
      leaseMs: 15_000,
      sandbox: 'auto',
      egressAllow: [],
      allowHttpHosts: [],
      sigstoreTrustedRoot: null,
      failpoints: [],
    });
    expect(Object.keys(config)).toEqual(Object.keys(configTable));
  });

  it('reads texts, numbers, flags and lists', () => {
    const config = readConfig({
      WEIR_PORT: '0',
      WEIR_TEST: '1',
      WEIR_EGRESS_ALLOW: '127.0.0.0/8, ::1/128',
      WEIR_OIDC_ISSUER: 'https://id.example/x',
      WEIR_OIDC_ALGORITHMS: 'ES256',
    });
    expect(config).toMatchObject({
      port: 0,
      test: true,
      allowHttpHosts: [],
      sigstoreTrustedRoot: null,
      egressAllow: ['127.0.0.0/8', '::1/128'],
      oidcIssuer: 'https://id.example/x',
      oidcAlgorithms: ['ES256'],
    });
  });

  it('takes an empty variable for one that is not set', () => {
    expect(readConfig({ WEIR_DATABASE_URL: '', WEIR_PORT: '' })).toMatchObject({ databaseUrl: null, port: 8_443 });
  });

  it('names every bad and unknown variable at once, never a value', () => {
    const problems = problemsOf({
      WEIR_PORT: '99999',
      WEIR_LEASE_MS: 'soon',
      WEIR_SANDBOX: 'docker',
      WEIR_DATABSE_URL: 'postgres://u:s3cret@h/d',
      WEIR_REDIS_URL: 'http://u:s3cret@h',
    });
    expect(problems.map((one) => one.split(' ')[0])).toEqual([
      'WEIR_DATABSE_URL',
      'WEIR_REDIS_URL',
      'WEIR_PORT',
      'WEIR_SANDBOX',
      'WEIR_LEASE_MS',
    ]);
    expect(problems.join('\n')).not.toContain('s3cret');
  });

  it.each([
    ['WEIR_PORT', '-1'],
    ['WEIR_PORT', '8443.5'],
    ['WEIR_PORT', '0x1f'],
    ['WEIR_TEST', 'yes'],
    ['WEIR_OIDC_ISSUER', 'http://id.example'],
    ['WEIR_OIDC_ISSUER', 'https://id.example/|x'],
    ['WEIR_OIDC_ALGORITHMS', 'HS256'],
    ['WEIR_OIDC_ALGORITHMS', 'none'],
    ['WEIR_EGRESS_ALLOW', '127.0.0.1'],
    ['WEIR_EGRESS_ALLOW', ','],
    ['WEIR_FAILPOINT', 'r13:kill'],
    ['WEIR_LISTEN', 'localhost'],
  ])('refuses %s=%s', (name, value) => {
    expect(problemsOf({ [name]: value, WEIR_TEST: name === 'WEIR_TEST' ? value : '1' }).join()).toContain(name);
  });

  it('refuses half a certificate, a client whose tokens would not count, and failpoints outside tests', () => {
    expect(problemsOf({ WEIR_TLS_CERT_FILE: '/c.pem' })).toEqual([expect.stringContaining('must be set together')]);
    expect(problemsOf({ WEIR_OIDC_CLIENT_ID: 'other' })).toEqual([expect.stringContaining('WEIR_OIDC_AUDIENCE')]);
    expect(problemsOf({ WEIR_FAILPOINT: 'r6:kill' })).toEqual([expect.stringContaining('WEIR_TEST=1')]);
    expect(problemsOf({ WEIR_FAILPOINT: 'r6:kill', WEIR_TEST: '1', WEIR_REDIS_URL: 'redis://h' })).toEqual([
      expect.stringContaining('on this machine'),
    ]);
    expect(
      problemsOf({ WEIR_FAILPOINT: 'r6:kill', WEIR_TEST: '1', WEIR_DATABASE_URL: 'postgres://u:p@127.0.0.1.example.org/weir' }),
    ).toEqual([expect.stringContaining('on this machine')]);
    expect(
      problemsOf({
        WEIR_FAILPOINT: 'r6:kill',
        WEIR_TEST: '1',
        WEIR_DATABASE_URL: 'postgres://u:p@127.0.0.1:5432/weir',
        WEIR_REDIS_URL: 'redis://:p@[::1]:6379',
      }),
    ).toEqual([]);
    expect(problemsOf({ WEIR_FAILPOINT: 'r6:kill,a2:delay', WEIR_TEST: '1' })).toEqual([]);
  });

  it('its own defaults pass their schemas, and each line is complete', () => {
    for (const line of describeConfig()) {
      expect(line.about).toMatch(/\.$/);
      expect(line.expects.length * line.default.length, line.env).toBeGreaterThan(0);
    }
    expect(describeConfig().map((one) => one.env)).toHaveLength(new Set(describeConfig().map((one) => one.env)).size);
  });

  it('docs/config.md is the generated page', () => {
    expect(readFileSync(new URL('../docs/config.md', import.meta.url), 'utf8')).toBe(configPage());
  });
});
