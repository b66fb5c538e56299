import { expect, test } from 'vitest';
import { parseImageName } from './name.ts';

test.each([
  ['alpine', 'docker.io', 'library/alpine', 'index.docker.io/library/alpine'],
  ['fluxcd/flux', 'docker.io', 'fluxcd/flux', 'index.docker.io/fluxcd/flux'],
  ['docker.io/alpine', 'docker.io', 'library/alpine', 'index.docker.io/library/alpine'],
  ['index.docker.io/a/b', 'docker.io', 'a/b', 'index.docker.io/a/b'],
  ['ghcr.io/a/b', 'ghcr.io', 'a/b', 'ghcr.io/a/b'],
  ['127.0.0.1:5000/a', '127.0.0.1:5000', 'a', '127.0.0.1:5000/a'],
  ['Registry.Example:443/team/app', 'registry.example:443', 'team/app', 'registry.example:443/team/app'],
  ['localhost/app', 'docker.io', 'localhost/app', 'index.docker.io/localhost/app'],
])('%s is %s, %s', (image, host, repository, canonical) => {
  expect(parseImageName(image)).toEqual({ host, repository, canonical });
});

test.each([
  ['https://ghcr.io/a/b', "should not start with URL scheme; remove 'https://'"],
  ['oci://ghcr.io/a/b', "should not start with URL scheme; remove 'oci://'"],
  ['ghcr.io/a/b:1.0', "should not contain a tag; remove ':1.0'"],
  ['alpine:3', "should not contain a tag; remove ':3'"],
  ['ghcr.io/a@sha256:00', 'should not hold a digest'],
  ['user:pass@ghcr.io/a', 'should not hold a digest or a credential'],
  ['ghcr.io/A', 'names no repository'],
  ['ghcr.io/', 'names no repository'],
  ['', 'names no repository'],
  ['ghcr.io/../etc', 'names no repository'],
  ['a/b c', 'names no repository'],
  ['-evil.example/a', 'names no registry host'],
  ['ghcr.io/a\n', 'names no repository'],
])('%s is refused: %s', (image, message) => {
  expect(parseImageName(image)).toContain(message);
});
