import { expect, test } from 'vitest';
import { readableError } from './redact.ts';

const SECRET = 'SECRETVALUE';

test.each([
  [
    'Error: trouble configuring builtin PatchTransformer with config: `\npatch: |\n  SECRETVALUE: [\ntarget:\n  kind: ConfigMap\n`: unable to parse SM or JSON patch from [patch: "SECRETVALUE: ["]\n',
    'trouble configuring builtin PatchTransformer',
  ],
  [
    'Error: loading KV pairs: literal sources [SECRETVALUE a]b]: invalid literal source SECRETVALUE a]b, expected key=value\n',
    'loading KV pairs: literal sources […',
  ],
  ['panic: SECRETVALUE\n\ngoroutine 1 [running]:\nmain.main()\n', 'kustomize ended with panic'],
])('content is not quoted: %j', (stderr, shown) => {
  const message = readableError(stderr, '/cell/input-x');
  expect(message).toContain(shown);
  if (!stderr.startsWith('panic')) expect(message).not.toContain(SECRET);
});

test('file names and object ids stay, places of the machine go', () => {
  const stderr =
    "Error: accumulating resources: accumulation err='accumulating resources from 'cm.yaml': missing Resource metadata': must build at directory: '/in/prod/cm.yaml': file is not directory, ConfigMap.v1.[noGrp]/a.[noNs] /tmp/weir/x\n";
  const message = readableError(stderr, '/srv/cell/input-x');
  expect(message).toContain("'prod/cm.yaml'");
  expect(message).toContain('ConfigMap.v1.[noGrp]/a.[noNs]');
  expect(message).not.toMatch(/\/in\/|\/tmp/);
});

test('at most 2 KB', () => {
  expect(readableError(`Error: ${'x'.repeat(10_000)}`, '/i').length).toBe(2_048);
});
