import { expect, test } from 'vitest';
import { parsePage } from './listing.ts';

const page = (inner: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</ListBucketResult>`;
const entry = (key: string): string =>
  `<Contents><Key>${key}</Key><ETag>&quot;abc-2&#34;</ETag><Size>12</Size><Owner><ID/></Owner></Contents>`;

test('keys, etags without quotes, sizes and the next page', () => {
  const text = page(
    `<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>${entry('a &lt;b&gt; %41')}<!-- x -->`,
  );
  expect(parsePage(text)).toEqual({ objects: [{ key: 'a <b> %41', etag: 'abc-2', sizeBytes: 12 }], next: 'a&b' });
});

test('keys that come encoded are decoded, and only then', () => {
  expect(parsePage(page(`<EncodingType>url</EncodingType>${entry('a+b%2Fc%00')}`)).objects[0]?.key).toBe('a b/c\0');
  expect(() => parsePage(page(`<EncodingType>url</EncodingType>${entry('%zz')}`))).toThrow('not encoded as it says');
});

test.each([
  ['another document', '<Error><Code>x</Code></Error>'],
  ['a cut one', page(entry('a')).slice(0, -5)],
  ['entities of its own', `<!DOCTYPE x [<!ENTITY e "e">]>${page(entry('&e;'))}`],
  ['an unknown entity', page(entry('&e;'))],
  ['crossed elements', page('<a><b></a></b>')],
  ['two roots', `${page('')}${page('')}`],
  ['text outside', `${page('')}x`],
  ['depth', page('<a>'.repeat(20) + '</a>'.repeat(20))],
  ['no next page', page('<IsTruncated>true</IsTruncated>')],
  ['a negative size', page(entry('a').replace('12', '-12'))],
  ['nothing', ''],
  ['HTML', '<html><body>Sign in<br></body></html>'],
])('refuses %s', (_what, text) => {
  expect(() => parsePage(text)).toThrow(expect.objectContaining({ code: 'upstreamFailed' }));
});

test('a megabyte of open brackets is read in no time', () => {
  const startedMs = performance.now();
  for (const text of ['<'.repeat(1_000_000), `<a ${'b='.repeat(500_000)}`, '<!--'.repeat(250_000), '&'.repeat(1_000_000)])
    expect(() => parsePage(text)).toThrow();
  expect(performance.now() - startedMs).toBeLessThan(2_000);
});
