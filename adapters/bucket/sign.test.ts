import { expect, test } from 'vitest';
import { encoded, queryText, signedHeaders } from './sign.ts';

// Both are worked examples of the AWS documentation ("Signature calculations for the Authorization header: single chunk"), whose GET with a Range header is left out.
const common = {
  method: 'GET',
  host: 'examplebucket.s3.amazonaws.com',
  path: '/',
  region: 'us-east-1',
  credential: { accessKey: 'AKIAIOSFODNN7EXAMPLE', secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
  nowMs: Date.UTC(2013, 4, 24),
} as const;

test.each([
  ['GET bucket lifecycle', [['lifecycle', '']], 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
  [
    'list objects',
    [
      ['prefix', 'J'],
      ['max-keys', '2'],
    ],
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
] as const)('signs as the published example: %s', (_what, query, signature) => {
  expect(signedHeaders({ ...common, query }).authorization).toBe(
    `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}`,
  );
});

test('encodes more than encodeURIComponent, and sorts', () => {
  expect(encoded("a b+c/ü!'()*~")).toBe('a%20b%2Bc%2F%C3%BC%21%27%28%29%2A~');
  expect(
    queryText([
      ['prefix', 'a&b'],
      ['list-type', '2'],
    ]),
  ).toBe('list-type=2&prefix=a%26b');
});
