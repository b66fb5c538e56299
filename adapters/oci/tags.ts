import { createHash } from 'node:crypto';
import { AppError } from '#core/errors.ts';
import type { HttpAnswer } from '#core/http.ts';
import { isTag } from '#core/oci-values.ts';
import type { Registry, RegistryRemote } from '#core/registry.ts';
import type { Clock } from '#core/time.ts';
import { type Ask, expectOk, shown } from './ask.ts';
import { createPageNotes, type PageNote } from './page-notes.ts';

const MAX_PAGE_BYTES = 4_194_304;
const MAX_TAGS = 100_000;
const MAX_PAGES = 2_000;
const PAGE = 1_000;
/** Pages that wait unread until it shows whether they are the known ones. */
const MAX_HELD_BYTES = 16_777_216;

type Page = Readonly<{ path: string; body: Buffer | null }>;
type Asked = Readonly<{ remote: RegistryRemote; untilMs: number; signal: AbortSignal }>;

/** `tags` of the port: page by page. Pages of a list that may be the known one are not looked into before that is certain. */
export function createTags(ask: Ask, clock: Clock): Registry['tags'] {
  const notes = createPageNotes();
  const get = ({ remote, untilMs, signal }: Asked, path: string, ifNoneMatch: string | null): Promise<HttpAnswer> =>
    ask(remote, { path, accept: 'application/json', maxBytes: MAX_PAGE_BYTES, ifNoneMatch }, Math.max(1, untilMs - clock.nowMs()), signal);

  return async (remote, onTag, { timeoutMs, known = null }, signal) => {
    const asked = { remote, untilMs: clock.nowMs() + timeoutMs, signal };
    const listing = createHash('sha256');
    const offer = counting(remote, onTag);
    let held: Page[] = [];
    let heldBytes = 0;
    const read = async (): Promise<void> => {
      const pages = held;
      held = [];
      heldBytes = 0;
      for (const { path, body } of pages) offer.page(body ?? (await whole(get, asked, path)));
    };
    let path: string | null = `/v2/${remote.repository}/tags/list?n=${PAGE}`;
    for (let pages = 0; path !== null; pages += 1) {
      if (pages >= MAX_PAGES) throw new AppError('upstreamTooLarge', `the tags of ${shown(remote)} come in more than ${MAX_PAGES} pages`);
      const page = await pageAt(get, notes, asked, path, known !== null);
      listing.update(`${page.note.digest}\n`);
      held.push({ path, body: page.body });
      heldBytes += page.body?.byteLength ?? 0;
      if (known === null || heldBytes > MAX_HELD_BYTES) await read();
      if (page.note.next === path) throw new AppError('upstreamFailed', `the registry ${remote.host} names the same page of tags again`);
      path = page.note.next;
    }
    const digest = `sha256:${listing.digest('hex')}`;
    // Only when all of it waits: what was handed over cannot be taken back.
    if (digest === known && offer.count() === 0) return { is: 'same' };
    await read();
    return { is: 'listed', count: offer.count(), listing: digest };
  };
}

type Get = (asked: Asked, path: string, ifNoneMatch: string | null) => Promise<HttpAnswer>;

/** One page; without a body when the registry says that it is still the one that was seen last. */
async function pageAt(
  get: Get,
  notes: ReturnType<typeof createPageNotes>,
  asked: Asked,
  path: string,
  mayBeKnown: boolean,
): Promise<Readonly<{ note: PageNote; body: Buffer | null }>> {
  const seen = mayBeKnown ? notes.of(asked.remote, path) : null;
  const answer = await get(asked, path, seen?.etag ?? null);
  if (seen !== null && answer.status === 304) return { note: seen, body: null };
  expectOk(asked.remote, answer, 'its tags');
  const note = { digest: answer.digest, next: nextPage(answer, asked.remote), etag: answer.headers['etag'] ?? null };
  notes.keep(asked.remote, path, note);
  return { note, body: answer.body };
}

async function whole(get: Get, asked: Asked, path: string): Promise<Buffer> {
  const answer = await get(asked, path, null);
  expectOk(asked.remote, answer, 'its tags');
  return answer.body;
}

function counting(remote: RegistryRemote, onTag: (tag: string) => void) {
  let count = 0;
  return {
    count: () => count,
    page(body: Buffer): void {
      for (const tag of tagsIn(body, remote)) {
        count += 1;
        if (count > MAX_TAGS) throw new AppError('upstreamTooLarge', `${shown(remote)} has more than ${MAX_TAGS} tags`);
        onTag(tag);
      }
    },
  };
}

function tagsIn(body: Buffer, remote: RegistryRemote): readonly string[] {
  const tags = listIn(body, remote);
  if (tags === null || tags === undefined) return [];
  if (!Array.isArray(tags)) throw new AppError('upstreamFailed', `the registry ${remote.host} answers no list of tags`);
  return tags.filter((one): one is string => typeof one === 'string' && isTag(one));
}

/** By the plain parser: of many tags core's, which keeps big integers, takes most of a scan. There is no number in here. */
function listIn(body: Buffer, remote: RegistryRemote): unknown {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && 'tags' in parsed ? parsed.tags : null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new AppError('upstreamFailed', `the registry answers no JSON for ${shown(remote)}`, {}, { cause: error });
  }
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
