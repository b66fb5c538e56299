import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '#core/errors.ts';
import type { EgressHttp, HttpAnswer, HttpCredential, HttpRequest } from '#core/http.ts';
import { at } from '#core/json.ts';
import { isSha256, isTag } from '#core/oci-values.ts';
import type { Registry, RegistryRemote } from '#core/registry.ts';
import type { Clock } from '#core/time.ts';
import { jsonOf, MANIFEST_TYPES, parseManifest } from './manifest.ts';
import { createTokens, refused, retry } from './tokens.ts';

export type RegistryOptions = Readonly<{
  http: EgressHttp;
  clock: Clock;
  /** Hosts (with port, where it is not the usual one) for which `insecure` is obeyed. */
  allowHttpHosts: readonly string[];
  /** Host of a registry to the host its tokens come from, beside those everybody knows. */
  realms: ReadonlyMap<string, string>;
}>;

const MAX_MANIFEST_BYTES = 4_194_304;
const MAX_PAGE_BYTES = 4_194_304;
const MAX_TAGS = 100_000;
const MAX_PAGES = 2_000;
const PAGE = 1_000;
const MAX_BUSY = 3;
const MAX_WAIT_MS = 5_000;

type Ask = Readonly<{ path: string; method?: 'GET' | 'HEAD'; accept: string; maxBytes: number; to?: HttpRequest['to'] }>;

/** Reads of OCI registries (opencontainers/distribution-spec v1.1). One per process: it keeps tokens, and connections through `http`. */
export function createRegistry({ http, clock, allowHttpHosts, realms }: RegistryOptions): Registry {
  const tokens = createTokens({ http, clock, realms });

  async function ask(remote: RegistryRemote, one: Ask, timeoutMs: number, signal: AbortSignal): Promise<HttpAnswer> {
    if (remote.insecure && !allowHttpHosts.includes(remote.host))
      throw new AppError(
        'egressDenied',
        `spec.insecure: the registry ${remote.host} would be reached over plain http://, which this plane does not allow: the operator can name it in WEIR_ALLOW_HTTP_HOSTS`,
      );
    const untilMs = clock.nowMs() + timeoutMs;
    const leftMs = (): number => Math.max(1, untilMs - clock.nowMs());
    const send = (credential: HttpCredential) => http.request(requestOf(remote, one, credential, leftMs(), signal));
    let credential: HttpCredential = tokens.known(remote) ?? { is: 'none' };
    let challenges = 0;
    for (let busy = 0; ; ) {
      const answer = await send(credential);
      // A challenge counts from the registry itself, not from where it redirects to.
      if (answer.status === 401 && challenges < 1 && new URL(answer.finalUrl).host === new URL(originOf(remote)).host) {
        challenges += 1;
        tokens.forget(remote);
        credential = await tokens.answer(remote, answer.headers['www-authenticate'], { timeoutMs: leftMs(), signal });
        continue;
      }
      if (answer.status !== 429 && answer.status !== 503) return answer;
      busy += 1;
      const waitMs = answer.retryAfterMs ?? 1_000;
      if (busy >= MAX_BUSY || waitMs > MAX_WAIT_MS || waitMs >= leftMs())
        throw new AppError('upstreamFailed', `the registry ${remote.host} is busy (${answer.status})`, retry(answer.retryAfterMs));
      await sleep(waitMs, undefined, { signal });
    }
  }

  return Object.freeze({
    async tags(remote, onTag, { timeoutMs }, signal) {
      const untilMs = clock.nowMs() + timeoutMs;
      let path: string | null = `/v2/${remote.repository}/tags/list?n=${PAGE}`;
      let count = 0;
      for (let pages = 0; path !== null; pages += 1) {
        if (pages >= MAX_PAGES) throw new AppError('upstreamTooLarge', `the tags of ${shown(remote)} come in more than ${MAX_PAGES} pages`);
        const answer = await ask(
          remote,
          { path, accept: 'application/json', maxBytes: MAX_PAGE_BYTES },
          Math.max(1, untilMs - clock.nowMs()),
          signal,
        );
        expectOk(remote, answer, 'its tags');
        for (const tag of tagsIn(answer, remote)) {
          count += 1;
          if (count > MAX_TAGS) throw new AppError('upstreamTooLarge', `${shown(remote)} has more than ${MAX_TAGS} tags`);
          onTag(tag);
        }
        const next = nextPage(answer, remote);
        if (next === path) throw new AppError('upstreamFailed', `the registry ${remote.host} names the same page of tags again`);
        path = next;
      }
      return count;
    },

    async resolve(remote, tag, { timeoutMs }, signal) {
      if (!isTag(tag)) throw new AppError('badRequest', 'a tag has letters, digits, and . _ -');
      const one = {
        path: `/v2/${remote.repository}/manifests/${tag}`,
        accept: MANIFEST_TYPES.join(', '),
        maxBytes: MAX_MANIFEST_BYTES,
      } as const;
      const head = await ask(remote, { ...one, method: 'HEAD' }, timeoutMs, signal);
      const told = head.status === 200 ? (head.headers['docker-content-digest'] ?? '') : '';
      if (isSha256(told)) return told;
      const answer = await ask(remote, one, timeoutMs, signal);
      expectOk(remote, answer, `tag ${tag}`);
      return answer.digest;
    },

    async manifest(remote, digest, { timeoutMs }, signal) {
      if (!isSha256(digest)) throw new AppError('badRequest', 'a digest is written as sha256:<64 hexadecimal characters>');
      const one = { path: `/v2/${remote.repository}/manifests/${digest}`, accept: MANIFEST_TYPES.join(', '), maxBytes: MAX_MANIFEST_BYTES };
      const answer = await ask(remote, one, timeoutMs, signal);
      expectOk(remote, answer, `manifest ${digest}`);
      if (answer.digest !== digest)
        throw new AppError('upstreamFailed', `the registry ${remote.host} answers other bytes than manifest ${digest}`);
      return parseManifest(answer.body.toString('utf8'), digest, shown(remote));
    },

    async blob(remote, layer, { file, maxBytes }, { timeoutMs }, signal) {
      if (layer.sizeBytes > maxBytes)
        throw new AppError('upstreamTooLarge', `the layer ${layer.digest} has ${layer.sizeBytes} bytes, more than ${maxBytes}`);
      const one = {
        path: `/v2/${remote.repository}/blobs/${layer.digest}`,
        accept: '*/*',
        maxBytes: layer.sizeBytes,
        to: { file },
      } as const;
      const answer = await ask(remote, one, timeoutMs, signal);
      expectOk(remote, answer, `layer ${layer.digest}`);
      if (answer.digest === layer.digest && answer.sizeBytes === layer.sizeBytes) return;
      await rm(file, { force: true });
      throw new AppError('upstreamFailed', `the registry ${remote.host} answers other bytes than layer ${layer.digest}`);
    },
  } satisfies Registry);
}

function requestOf(remote: RegistryRemote, one: Ask, credential: HttpCredential, timeoutMs: number, signal: AbortSignal): HttpRequest {
  return {
    url: `${originOf(remote)}${one.path}`,
    method: one.method ?? 'GET',
    // Digests are of the bytes as stored: nothing may be packed on the way.
    headers: { accept: one.accept, 'accept-encoding': 'identity' },
    credential,
    caPem: remote.caPem,
    clientCertificate: remote.clientCertificate,
    allowHttp: remote.insecure,
    maxBytes: one.maxBytes,
    timeoutMs,
    redirects: 5,
    to: one.to ?? 'buffer',
    signal,
  };
}

function expectOk(remote: RegistryRemote, answer: HttpAnswer, what: string): void {
  if (answer.status === 200) return;
  if (answer.status === 401 || answer.status === 403) throw refused(remote, answer.status);
  if (answer.status === 404) throw new AppError('notFound', `${shown(remote)} has not ${what}: push it, or correct the name`);
  throw new AppError(
    'upstreamFailed',
    `the registry ${remote.host} answered ${answer.status} for ${what} of ${remote.repository}`,
    retry(answer.retryAfterMs),
  );
}

function tagsIn(answer: HttpAnswer, remote: RegistryRemote): readonly string[] {
  const tags = at(jsonOf(answer.body.toString('utf8'), shown(remote)), 'tags');
  if (tags === null || tags === undefined) return [];
  if (!Array.isArray(tags)) throw new AppError('upstreamFailed', `the registry ${remote.host} answers no list of tags`);
  return tags.filter((one): one is string => typeof one === 'string' && isTag(one));
}

/** The next page (RFC 8288), which must be the tags of the same repository on the same host. */
function nextPage(answer: HttpAnswer, remote: RegistryRemote): string | null {
  const link = /<([^<>\s]{1,4096})>\s*;\s*rel="?next"?/i.exec((answer.headers['link'] ?? '').slice(0, 8_192))?.[1];
  if (link === undefined) return null;
  const url = URL.canParse(link, answer.finalUrl) ? new URL(link, answer.finalUrl) : null;
  if (url === null || url.origin !== new URL(answer.finalUrl).origin || url.pathname !== `/v2/${remote.repository}/tags/list`)
    throw new AppError('egressDenied', `the registry ${remote.host} continues its tags at another place`);
  return `${url.pathname}${url.search}`;
}

/** Docker Hub is named by another host than it answers at. */
function originOf({ host, insecure }: RegistryRemote): string {
  return `${insecure ? 'http' : 'https'}://${host === 'docker.io' ? 'registry-1.docker.io' : host}`;
}

function shown(remote: RegistryRemote): string {
  return `${remote.host}/${remote.repository}`;
}
