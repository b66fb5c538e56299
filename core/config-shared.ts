import { type Config, ConfigError } from './config.ts';

/** Where the processes of one plane meet. */
export type SharedStores = Readonly<{ databaseUrl: string; redisUrl: string }>;

/** What a service or worker needs that runs alone: stores that others reach too. Throws ConfigError that names every variable that is missing. Pure. */
export function sharedStores(config: Pick<Config, 'databaseUrl' | 'redisUrl'>): SharedStores {
  const { databaseUrl, redisUrl } = config;
  const problems: string[] = [];
  if (databaseUrl === null) problems.push('WEIR_DATABASE_URL must be set: a process that runs alone shares its PostgreSQL with the others');
  if (redisUrl === null) problems.push('WEIR_REDIS_URL must be set: a process that runs alone shares its Redis with the others');
  if (databaseUrl === null || redisUrl === null) throw new ConfigError(problems);
  return { databaseUrl, redisUrl };
}

/** The issuer of a plane that others reach. There is no demo provider in it. Throws ConfigError. Pure. */
export function requiredIssuer(config: Pick<Config, 'oidcIssuer'>): string {
  if (config.oidcIssuer !== null) return config.oidcIssuer;
  throw new ConfigError([
    'WEIR_OIDC_ISSUER must be set to your identity provider, such as https://login.example.org: the demo provider, in which anybody may be anybody, is for one machine only',
  ]);
}
