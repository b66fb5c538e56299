import { describe, expect, it } from 'vitest';
import { duplicateKeys } from './duplicate-keys.ts';

describe('keys that stand twice', () => {
  it.each([
    ['{}', []],
    ['{"a":1,"b":{"a":2}}', []],
    ['{"a":1,"a":2}', ['a']],
    ['{"spec":{"interval":"1m","x":{"interval":1},"interval":"2m"}}', ['spec.interval']],
    ['{"l":[{"a":1,"a":2},{"b":1},{"b":1,"b":2}]}', ['l[0].a', 'l[2].b']],
    ['{"a\\"b":1,"a\\"b":2}', ['a"b']],
    ['{"a":"x\\\\","a":"{\\"a\\":1,\\"a\\":2}"}', ['a']],
    ['{"\\u0061":1,"a":2}', ['a']],
    ['[[{"a":1}],[{"a":1,"a":1}]]', ['[1][0].a']],
  ])('%s', (text, found) => {
    expect(duplicateKeys(text)).toEqual(found);
  });
});
