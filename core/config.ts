import type { Static } from 'typebox';
import { Value } from 'typebox/value';
import type { Setting } from './config-setting.ts';
import { configTable, otherVariables } from './config-table.ts';

/** The whole configuration of a process: read once in its `main.ts` and passed down. */
export type Config = { readonly [K in keyof typeof configTable]: Static<(typeof configTable)[K]['schema']> };

/** The start fails with every problem at once. Messages name variables and never quote a value: it may be a secret in the wrong place. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`the configuration is wrong:\n${problems.map((one) => `  ${one}`).join('\n')}\nEvery variable is described in docs/config.md.`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

const maxValueLength = 65_536;

/** The configuration in an environment. Throws ConfigError that names each bad and each unknown variable that begins with WEIR_. Pure. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems = unknownVariables(env);
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(configTable)) {
    const value = decode(setting, env[setting.env]);
    if (!Value.Check(setting.schema, value)) problems.push(`${setting.env} must be ${setting.expects.replaceAll('`', '')}`);
    values[key] = value;
  }
  if (problems.length === 0 && isConfig(values)) problems.push(...together(values));
  if (problems.length > 0 || !isConfig(values)) throw new ConfigError(problems);
  return Object.freeze(values);
}

function isConfig(values: Readonly<Record<string, unknown>>): values is Config {
  return Object.entries(configTable).every(([key, setting]) => Value.Check(setting.schema, values[key]));
}

function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set([...Object.values(configTable).map((one): string => one.env), ...Object.keys(otherVariables)]);
  const unknown = Object.keys(env).filter((name) => name.startsWith('WEIR_') && !known.has(name));
  return unknown.toSorted().map((name) => `${name.slice(0, 64)} is no variable of Weir${suggestion(name, known)}`);
}

function suggestion(name: string, known: ReadonlySet<string>): string {
  const near = [...known].find(
    (one) => one.replaceAll('_', '') === name.replaceAll('_', '').toUpperCase() || one === `${name}S` || `${one}S` === name,
  );
  return near === undefined ? '' : `; did you mean ${near}?`;
}

/** A variable that is set to nothing counts as not set, as in a compose file or a chart that leaves one out. */
function decode(setting: Setting, text: string | undefined): unknown {
  if (text === undefined || text === '') return setting.default;
  if (text.length > maxValueLength) return undefined;
  switch (setting.decoding) {
    case 'text':
      return text;
    case 'integer':
      return /^[0-9]{1,12}$/.test(text) ? Number(text) : undefined;
    case 'flag':
      return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : undefined;
    case 'list':
      return Object.freeze(text.split(',').map((one) => one.trim()));
  }
}

/** What only two variables together can say. */
function together(config: Config): readonly string[] {
  const problems: string[] = [];
  if ((config.tlsCertFile === null) !== (config.tlsKeyFile === null))
    problems.push('WEIR_TLS_CERT_FILE and WEIR_TLS_KEY_FILE must be set together');
  if (config.failpoints.length > 0 && !mayFail(config)) {
    problems.push(
      'WEIR_FAILPOINT is for tests: it needs WEIR_TEST=1 and stores on this machine (WEIR_DATABASE_URL and WEIR_REDIS_URL not set, or at a loopback address)',
    );
  }
  if (!config.oidcAudiences.includes(config.oidcClientId))
    problems.push('WEIR_OIDC_AUDIENCE must list WEIR_OIDC_CLIENT_ID, or no login is accepted');
  return problems;
}

function mayFail(config: Config): boolean {
  return config.test && isHere(config.databaseUrl) && isHere(config.redisUrl);
}

const LOOPBACK = ['127.0.0.1', '[::1]', 'localhost'];

/** Embedded, or at a loopback address by name: no store that a real plane shares is ever failed by a test. */
function isHere(url: string | null): boolean {
  return url === null || (URL.canParse(url) && LOOPBACK.includes(new URL(url).hostname));
}

export type ConfigLine = Readonly<{ env: string; about: string; expects: string; unit: string; default: string; secret: boolean }>;

/** The table for people, in its order. Pure. */
export function describeConfig(): readonly ConfigLine[] {
  return Object.values(configTable).map((setting) => ({
    env: setting.env,
    about: setting.about,
    expects: setting.expects,
    unit: setting.unit ?? '',
    default: setting.defaultAbout ?? showDefault(setting.default),
    secret: setting.secret,
  }));
}

function showDefault(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : `\`${value.join(',')}\``;
  return value === null ? 'none' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

/** `docs/config.md`. Pure; a test compares it with the committed file. */
export function configPage(): string {
  const lines = describeConfig().map((one) => {
    const unit = one.unit === '' ? '' : ` (${one.unit})`;
    return `| \`${one.env}\` | ${one.about}${one.secret ? ' **Secret.**' : ''} | ${cell(one.expects)}${unit} | ${one.default} |`;
  });
  const others = Object.entries(otherVariables).map(([name, about]) => `- \`${name}\`: ${about}`);
  return [
    '# Configuration',
    '',
    'Generated from `core/config-table.ts` by `npm run generate`. All configuration comes from the environment and is read once at the start.',
    'A variable that begins with `WEIR_` and is not in this table fails the start; an empty one counts as not set.',
    '',
    '| variable | meaning | value | default |',
    '|---|---|---|---|',
    ...lines,
    '',
    'Variables of our other programs, which the plane leaves alone:',
    '',
    ...others,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
