import { isRepository } from '../oci-values.ts';

/** An image repository as a person writes it, with everything that was implied. */
export type ImageName = Readonly<{
  /** Registry host as the registry client wants it: `docker.io`, `registry.example:5000`. */
  host: string;
  repository: string;
  /** Flux's `canonicalImageName`: `index.docker.io/library/alpine`. */
  canonical: string;
}>;

const HUB = 'index.docker.io';
const HUB_NAMES: ReadonlySet<string> = Object.freeze(new Set([HUB, 'docker.io']));
const HOST = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?|\[[0-9a-fA-F:.]{2,45}\])(?::[0-9]{1,5})?$/;

/**
 * Parses an image repository without scheme, tag or digest (definitions.md 5.1); the part before the first slash is a registry when it holds a dot or a colon
 * (google/go-containerregistry pkg/name). Answers what is wrong with the text otherwise. Pure.
 */
export function parseImageName(image: string): ImageName | string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(image)?.[0];
  if (scheme !== undefined) return `should not start with URL scheme; remove '${scheme}'`;
  if (image.includes('@')) return 'should not hold a digest or a credential; remove everything from the @ on';
  const slash = image.indexOf('/');
  const first = slash < 0 ? '' : image.slice(0, slash);
  const hasHost = first.includes('.') || first.includes(':');
  const host = hasHost ? first.toLowerCase() : HUB;
  const name = hasHost ? image.slice(slash + 1) : image;
  const colon = name.indexOf(':');
  if (colon >= 0) return `should not contain a tag; remove '${name.slice(colon, colon + 130)}'`;
  if (!HOST.test(host)) return 'names no registry host';
  if (!isRepository(name)) return 'names no repository: lower-case letters, digits, and . _ - between them';
  const isHub = HUB_NAMES.has(host);
  const repository = isHub && !name.includes('/') ? `library/${name}` : name;
  return Object.freeze({ host: isHub ? 'docker.io' : host, repository, canonical: `${isHub ? HUB : host}/${repository}` });
}
