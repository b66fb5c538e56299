import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readRecord } from './storage.ts';

function secretOf(record: object): Parameters<typeof readRecord>[0] {
  const packed = gzipSync(Buffer.from(JSON.stringify(record))).toString('base64');
  return { type: 'helm.sh/release.v1', data: { release: Buffer.from(packed, 'latin1').toString('base64') } };
}
const record = { name: 'web', namespace: 'apps', version: 3, info: { status: 'deployed' } };

test('a record is read with the bytes that it unpacks to', () => {
  expect(readRecord(secretOf(record))).toMatchObject({ name: 'web', version: 3, status: 'deployed', bytes: JSON.stringify(record).length });
});

test('a record that unpacks to more than there is room for is refused before it is unpacked', () => {
  const bomb = secretOf({ ...record, chart: 'x'.repeat(2_000_000) });
  expect(() => readRecord(bomb, 1_000_000)).toThrow('cannot be unpacked');
  expect(() => readRecord(secretOf(record), 0)).toThrow('room');
  expect(readRecord(bomb).version).toBe(3);
});
