import { expect, test } from 'vitest';
import { parseOciUrl } from './oci-values.ts';

test.each([
  ['oci://r.example/a/b', 'r.example', 'a/b'],
  ['oci://R.example:5000/a__b/c-d.e', 'r.example:5000', 'a__b/c-d.e'],
  ['oci://[::1]:5000/a', '[::1]:5000', 'a'],
  ['oci://docker.io/nginx', 'docker.io', 'library/nginx'],
])('%s', (url, host, repository) => {
  expect(parseOciUrl(url)).toEqual({ host, repository });
});

test.each([
  'https://r.example/a',
  'oci://',
  'oci://r.example',
  'oci://r.example/',
  'oci://r.example/A',
  'oci://r.example/a:1',
  'oci://r.example/a@sha256:0',
  'oci://u:p@r.example/a',
  'oci://r.example/../a',
  'oci://r.example/a/../../b',
  'oci://r.example/a//b',
  'oci://r.example/a?x=1',
  'oci://r.example/a#x',
  'oci://r.example/a%2fb',
  'oci://r.example\n/a',
  'oci://r.example:x/a',
  `oci://r.example/${'a'.repeat(256)}`,
])('%j is no address', (url) => {
  expect(typeof parseOciUrl(url)).toBe('string');
});
