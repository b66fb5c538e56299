import { isIP } from 'node:net';
import type { GitUrl } from '#core/git-values.ts';
import type { GitCredential } from '#core/ports.ts';

/**
 * The whole environment of a git process: nothing is inherited. Settings and secrets go through GIT_CONFIG_COUNT, so that neither
 * the argument list nor a file shows them, and no system, user or repository file can add a helper, hook or rewrite (C3, C6, C7, C8, C10).
 */
export type Egress = Readonly<{
  /** Checked addresses of a host; throws AppError egressDenied or gitFailed. */ check(
    host: string,
    signal: AbortSignal,
  ): Promise<readonly string[]>;
}>;

export type EnvironmentInput = Readonly<{
  path: string;
  /** An empty folder that stands for HOME. */
  home: string;
  gitDir: string | null;
  allowHttp: boolean;
  lowSpeedSeconds: number;
  remote: Readonly<{ url: GitUrl; credential: GitCredential; caFile: string | null; addresses: readonly string[] }> | null;
}>;

const LOW_SPEED_BYTES_PER_SECOND = '512';

/** The variables of one command. Pure. */
export function gitEnvironment(input: EnvironmentInput): Readonly<Record<string, string>> {
  const settings = [...fixedSettings(input), ...(input.remote === null ? [] : remoteSettings(input.remote))];
  return Object.freeze({
    PATH: input.path,
    HOME: input.home,
    XDG_CONFIG_HOME: input.home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: input.allowHttp ? 'https:http' : 'https',
    ...(input.gitDir === null ? {} : { GIT_DIR: input.gitDir }),
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  });
}

function fixedSettings({ allowHttp, lowSpeedSeconds }: EnvironmentInput): readonly (readonly [string, string])[] {
  return [
    ['protocol.allow', 'never'],
    ['protocol.https.allow', 'always'],
    ['protocol.http.allow', allowHttp ? 'always' : 'never'],
    ['core.hooksPath', '/dev/null'],
    ['core.attributesFile', '/dev/null'],
    ['core.autocrlf', 'false'],
    ['core.quotePath', 'true'],
    ['credential.helper', ''],
    ['http.followRedirects', 'false'],
    ['http.sslVerify', 'true'],
    ['http.proxy', ''],
    ['http.lowSpeedLimit', LOW_SPEED_BYTES_PER_SECOND],
    ['http.lowSpeedTime', String(lowSpeedSeconds)],
    ['transfer.fsckObjects', 'true'],
    ['fetch.fsckObjects', 'true'],
    ['transfer.bundleURI', 'false'],
    // A pack arrives whole or not at all; loose objects of a killed fetch would look like a commit without its tree.
    ['fetch.unpackLimit', '1'],
    ['transfer.unpackLimit', '1'],
    ['gc.auto', '0'],
    ['repack.writeBitmaps', 'false'],
    ['pack.threads', '1'],
  ];
}

function remoteSettings({
  url,
  credential,
  caFile,
  addresses,
}: NonNullable<EnvironmentInput['remote']>): readonly (readonly [string, string])[] {
  const header = authorization(credential);
  const settings: (readonly [string, string])[] = [];
  // Bound to the origin: whatever else git may contact never sees it.
  if (header !== null) settings.push([`http.${url.origin}/.extraHeader`, header]);
  if (caFile !== null) settings.push([`http.${url.origin}/.sslCAInfo`, caFile]);
  // git connects to the address that was checked, whatever the DNS says by then (G2).
  if (isIP(url.host) === 0 && !url.host.startsWith('[') && addresses.length > 0)
    settings.push(['http.curloptResolve', `${url.host}:${url.port}:${addresses.map(bracketed).join(',')}`]);
  return settings;
}

function authorization(credential: GitCredential): string | null {
  switch (credential.is) {
    case 'none':
      return null;
    case 'basic':
      return `Authorization: Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
    case 'bearer':
      return `Authorization: Bearer ${credential.token}`;
  }
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
