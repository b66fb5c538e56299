import { expect, test } from 'vitest';
import { ConfigError, readConfig } from './config.ts';
import { requiredIssuer, sharedStores } from './config-shared.ts';

const full = {
  WEIR_DATABASE_URL: 'postgres://weir:secret-word@db/weir',
  WEIR_REDIS_URL: 'redis://:secret-word@redis:6379/0',
  WEIR_OIDC_ISSUER: 'https://login.example.org',
};

test('a process that runs alone gets the stores and the issuer it was given', () => {
  const config = readConfig(full);
  expect(sharedStores(config)).toEqual({ databaseUrl: full.WEIR_DATABASE_URL, redisUrl: full.WEIR_REDIS_URL });
  expect(requiredIssuer(config)).toBe(full.WEIR_OIDC_ISSUER);
});

test('everything that is missing is said at once, without the values of the rest', () => {
  const said = (env: Readonly<Record<string, string>>): ConfigError => {
    try {
      sharedStores(readConfig(env));
    } catch (error) {
      if (error instanceof ConfigError) return error;
      throw error;
    }
    throw new Error('nothing was missing');
  };
  expect(said({}).problems).toEqual([
    expect.stringContaining('WEIR_DATABASE_URL must be set'),
    expect.stringContaining('WEIR_REDIS_URL must be set'),
  ]);
  const half = said({ WEIR_REDIS_URL: full.WEIR_REDIS_URL });
  expect(half.problems).toHaveLength(1);
  expect(half.message).not.toContain('secret-word');
  expect(() => requiredIssuer(readConfig({}))).toThrow(/WEIR_OIDC_ISSUER must be set to your identity provider/);
});
