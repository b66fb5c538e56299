import { AppError } from '#core/errors.ts';
import type { HttpAnswer } from '#core/http.ts';
import { at } from '#core/json.ts';
import { isTag } from '#core/oci-values.ts';
import type { Registry, RegistryRemote } from '#core/registry.ts';
import type { Clock } from '#core/time.ts';
import { type Ask, expectOk, shown } from './ask.ts';
import { jsonOf } from './manifest.ts';

const MAX_PAGE_BYTES = 4_194_304;
const MAX_TAGS = 100_000;
const MAX_PAGES = 2_000;
const PAGE = 1_000;

/** `tags` of the port: page by page, each handed over as it comes. */
export function createTags(ask: Ask, clock: Clock): Registry['tags'] {
  return async (remote, onTag, { timeoutMs }, signal) => {
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
  };
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
