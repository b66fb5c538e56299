import { X509Certificate } from 'node:crypto';
import { parse } from 'yaml';
import { parseServer } from '#adapters/kube/agent.ts';
import { isToken } from '#adapters/kube/credential.ts';
import { AppError } from '#core/errors.ts';

/** A tenant's own kubeconfig, as far as it counts: address, CA, and a token or a client certificate. Never log, store or quote it. */
export type TenantKubeconfig = Readonly<{
  server: string;
  caPem: string;
  /** Name of the user entry, for messages. */
  user: string;
  credential: Readonly<{ is: 'token'; token: string }> | Readonly<{ is: 'certificate'; certificatePem: string; keyPem: string }>;
}>;

const maxChars = 256 * 1024;

type Fields = Readonly<Record<string, unknown>>;

const topFields: readonly string[] = ['apiVersion', 'kind', 'preferences', 'clusters', 'users', 'contexts', 'current-context'];
const clusterFields: readonly string[] = ['server', 'certificate-authority-data'];
const userFields: readonly string[] = ['token', 'client-certificate-data', 'client-key-data'];
const contextFields: readonly string[] = ['cluster', 'user', 'namespace'];

/** Why a field is refused, where a person may have expected it to work. */
const reasons: Readonly<Record<string, string>> = Object.freeze({
  exec: 'programs are never run; put a token or a client certificate in it',
  'auth-provider': 'programs are never run; put a token or a client certificate in it',
  'certificate-authority': 'files are never read; use certificate-authority-data',
  'client-certificate': 'files are never read; use client-certificate-data',
  'client-key': 'files are never read; use client-key-data',
  tokenFile: 'files are never read; use token',
  'proxy-url': 'there is no proxy',
  'insecure-skip-tls-verify': 'certificates are always verified; use certificate-authority-data',
  'tls-server-name': 'the certificate must be for the host of server',
  'disable-compression': 'it has no use here',
  as: 'there is no impersonation',
  'as-uid': 'there is no impersonation',
  'as-groups': 'there is no impersonation',
  'as-user-extra': 'there is no impersonation',
  username: 'basic authentication is not supported; use token',
  password: 'basic authentication is not supported; use token',
});

/**
 * Parses a kubeconfig by a closed schema (threats F1, F2): exactly one cluster, user and context count, those of current-context, and every field
 * anywhere that is not listed above is refused by name. Throws AppError invalid; the message names the field, never a value. Pure.
 */
export function parseKubeconfig(text: string): TenantKubeconfig {
  if (text.length > maxChars) throw bad(`it is over ${maxChars} characters`);
  const config = fieldsOf(read(text), 'the kubeconfig');
  closed(config, topFields, '');
  if (config['kind'] !== undefined && config['kind'] !== 'Config') throw bad('kind is not Config');
  // Every entry is checked, used or not: a field that does harm in one is no accident.
  const clusters = entries(config['clusters'], 'clusters', 'cluster', clusterFields);
  const users = entries(config['users'], 'users', 'user', userFields);
  const contexts = entries(config['contexts'], 'contexts', 'context', contextFields);
  const context = contexts.get(textOf(config, 'current-context'));
  if (context === undefined) throw bad('current-context names no context');
  const cluster = clusters.get(textOf(context, 'cluster'));
  const userName = textOf(context, 'user');
  const user = users.get(userName);
  if (cluster === undefined || user === undefined) throw bad('the current context names a cluster or a user that is not in it');
  const server = textOf(cluster, 'server');
  parseServer(server);
  return Object.freeze({
    server,
    caPem: pemOf(cluster, 'certificate-authority-data', 'CERTIFICATE'),
    user: userName.slice(0, 100),
    credential: credentialOf(user),
  });
}

function read(text: string): unknown {
  try {
    return parse(text, { schema: 'core', maxAliasCount: 0, uniqueKeys: true, strict: true, logLevel: 'error' });
  } catch {
    // The parser's message quotes the line, which may hold a token.
    throw bad('it is no YAML that can be read (aliases and repeated keys are refused)');
  }
}

function entries(value: unknown, list: string, inner: string, fields: readonly string[]): ReadonlyMap<string, Fields> {
  if (!Array.isArray(value) || value.length === 0) throw bad(`${list} is empty`);
  if (value.length > 20) throw bad(`${list} has more than 20 entries`);
  const found = new Map<string, Fields>();
  for (const item of value) {
    const entry = fieldsOf(item, list);
    closed(entry, ['name', inner], `${list}[].`);
    const body = fieldsOf(entry[inner], `${list}[].${inner}`);
    closed(body, fields, `${list}[].${inner}.`);
    const name = textOf(entry, 'name');
    if (found.has(name)) throw bad(`${list} has two entries of one name`);
    found.set(name, body);
  }
  return found;
}

function credentialOf(user: Fields): TenantKubeconfig['credential'] {
  if (user['token'] !== undefined) {
    if (user['client-certificate-data'] !== undefined || user['client-key-data'] !== undefined)
      throw bad('a user has a token or a client certificate, not both');
    const token = textOf(user, 'token');
    if (!isToken(token)) throw bad('users[].user.token is no token');
    return { is: 'token', token };
  }
  const certificatePem = pemOf(user, 'client-certificate-data', 'CERTIFICATE');
  const keyPem = pemOf(user, 'client-key-data', 'PRIVATE KEY');
  if (certificatePem === '' || keyPem === '') throw bad('the user needs token, or client-certificate-data and client-key-data');
  return { is: 'certificate', certificatePem, keyPem };
}

function pemOf(fields: Fields, key: string, label: string): string {
  const value = fields[key];
  if (value === undefined || value === '') return '';
  if (typeof value !== 'string') throw bad(`${key} is no text`);
  const pem = Buffer.from(value, 'base64').toString('utf8');
  if (!pem.includes('-----BEGIN ') || !pem.includes(`${label}-----`)) throw bad(`${key} is not base64 of PEM`);
  if (label === 'CERTIFICATE') checkCertificate(pem, key);
  return pem;
}

function checkCertificate(pem: string, key: string): void {
  try {
    new X509Certificate(pem);
  } catch {
    throw bad(`${key} holds no certificate`);
  }
}

function closed(fields: Fields, allowed: readonly string[], path: string): void {
  for (const key of Object.keys(fields)) {
    if (allowed.includes(key)) continue;
    const why = Object.hasOwn(reasons, key) ? reasons[key] : 'only server, CA and a token or client certificate count';
    throw bad(`${path}${key.slice(0, 60)} is not accepted: ${why}`);
  }
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(`${what} is no map`);
  return Object.fromEntries(Object.entries(value));
}

function textOf(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== 'string' || value === '') throw bad(`${key} is missing or no text`);
  return value;
}

function bad(why: string): AppError {
  return new AppError('invalid', `the kubeconfig can’t be used: ${why}`);
}
