/** Grammars of the OCI distribution specification v1.1, so that no value of a user or a registry becomes another path (threats B10, D). */

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const SHA256 = /^sha256:[0-9a-f]{64}$/;
const HOST = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?|\[[0-9a-fA-F:.]{2,45}\])(?::[0-9]{1,5})?$/;
const MAX_NAME = 255;

export type OciAddress = Readonly<{ host: string; repository: string }>;

/** Host and repository of `oci://host[:port]/name`, or what is wrong with it. A tag or digest is refused. Docker Hub's short names are written out. Pure. */
export function parseOciUrl(url: string): OciAddress | string {
  const rest = /^oci:\/\/(.*)$/.exec(url)?.[1];
  if (rest === undefined) return 'must be written as oci://host/repository';
  const slash = rest.indexOf('/');
  const host = slash < 0 ? rest : rest.slice(0, slash);
  const name = slash < 0 ? '' : rest.slice(slash + 1);
  if (host.includes('@')) return 'must not hold a credential: write it into a Secret';
  if (!HOST.test(host)) return 'names no host';
  if (name.includes('@') || name.includes(':')) return 'must not hold a tag or digest: write it into spec.ref';
  if (!isRepository(name)) return 'names no repository: lower-case letters, digits, and . _ - between them';
  const repository = host === 'docker.io' && !name.includes('/') ? `library/${name}` : name;
  return Object.freeze({ host: host.toLowerCase(), repository });
}

export function isRepository(text: string): boolean {
  return text.length <= MAX_NAME && NAME.test(text);
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

export function isSha256(text: string): boolean {
  return SHA256.test(text);
}
