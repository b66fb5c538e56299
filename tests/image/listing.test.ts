import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { at } from '#core/json.ts';
import { useImageStage } from './stage.ts';

/** A list of tags that did not change is neither read nor, where the registry has entity tags, sent again. */

const stage = useImageStage();
const served: { tags: readonly (readonly string[])[]; hasEtags: boolean } = { tags: [], hasEtags: false };
const answers: number[] = [];

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://registry.test');
  const page = Number(url.searchParams.get('page') ?? '0');
  const body = JSON.stringify({ name: 'x/y', tags: served.tags[page] ?? [] });
  const etag = `"${page}-${body.length}-${(served.tags[page] ?? []).join('')}"`;
  if (page + 1 < served.tags.length) response.setHeader('link', `</v2/x/y/tags/list?n=1000&page=${page + 1}>; rel="next"`);
  if (served.hasEtags) response.setHeader('etag', etag);
  const isKnown = served.hasEtags && request.headers['if-none-match'] === etag;
  answers.push(isKnown ? 304 : 200);
  response.writeHead(isKnown ? 304 : 200, isKnown ? {} : { 'content-type': 'application/json' }).end(isKnown ? undefined : body);
}
const server = createServer(answer);

beforeAll(async () => {
  const [host = '', port = '0'] = stage.httpHost().split(':');
  await new Promise<void>((resolve) => server.listen(Number(port), host, () => resolve()));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

async function scan(name: string): Promise<readonly number[]> {
  answers.length = 0;
  await stage.due('ImageRepository', name);
  await stage.settle();
  expect(await stage.ready('ImageRepository', name)).toMatchObject({ status: 'True' });
  return [...answers];
}
const result = async (name: string) => at(await stage.get('ImageRepository', name), 'status', 'lastScanResult');
const stored = async (name: string) =>
  (
    await stage.api.plane.ask(
      `select t.tags, t.listing, t.stored_at::text from weir.image_tags t join weir.objects o on o.uid = t.repository_uid where o.name = $1`,
      [name],
    )
  )[0];

test.each([false, true])('the same list writes nothing, a changed one is read, with entity tags: %s', async (hasEtags) => {
  const name = `plain-${hasEtags}`;
  Object.assign(served, {
    hasEtags,
    tags: [
      ['1.0.0', '1.1.0'],
      ['1.2.0', 'x.sig'],
    ],
  });
  await stage.create('ImageRepository', name, { image: `${stage.httpHost()}/x/y`, interval: '10m', insecure: true });
  await stage.settle();
  expect(await result(name)).toMatchObject({ tagCount: 3 });
  const before = [await stage.get('ImageRepository', name), await stored(name)];
  // The first that may be conditional.
  await scan(name);
  expect(await scan(name)).toEqual(hasEtags ? [304, 304] : [200, 200]);
  expect([await stage.get('ImageRepository', name), await stored(name)]).toEqual(before);

  Object.assign(served, {
    tags: [
      ['1.0.0', '1.1.0'],
      ['1.2.0', '1.3.0', 'x.sig'],
    ],
  });
  expect(await scan(name), 'of a page that is known and needed all the same the bytes are asked for').toEqual(
    hasEtags ? [304, 200, 200] : [200, 200],
  );
  expect(await stored(name)).toMatchObject({ tags: '1.0.0\n1.1.0\n1.2.0\n1.3.0' });

  const shown = await result(name);
  Object.assign(served, {
    tags: [
      ['1.0.0', '1.1.0'],
      ['1.2.0', '1.3.0', 'x.sig', 'y.sig'],
    ],
  });
  await scan(name);
  expect(await result(name), 'an excluded tag is no new one').toEqual(shown);
  expect(await scan(name)).toEqual(hasEtags ? [304, 304] : [200, 200]);

  await stage.patch('ImageRepository', name, { spec: { exclusionList: ['^x'] } });
  await stage.settle();
  expect(await stored(name), 'other exclusions read the list again').toMatchObject({ tags: '1.0.0\n1.1.0\n1.2.0\n1.3.0\ny.sig' });
});
