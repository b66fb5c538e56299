import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readYaml } from '#adapters/kustomize/yaml.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { fieldCases, filesOf } from '#tests/attacks/kustomization-fields.ts';
import type { Files, Workshop } from '#tests/render/workshop.ts';
import { configMap, openWorkshop } from '#tests/render/workshop.ts';

let shop: Workshop;
let kustomize: string;
beforeAll(async () => {
  shop = await openWorkshop();
  ({ kustomize } = await loadToolPaths({ only: ['kustomize'] }));
});
afterAll(() => shop.close());

/** What the same kustomize says on the same files without anything of ours around it. */
async function bare(files: Files): Promise<unknown> {
  const dir = await mkdtemp(join(shop.root, 'bare-'));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
  const { stdout } = await promisify(execFile)(kustomize, ['build', dir, '--load-restrictor', 'LoadRestrictionsNone']);
  return readYaml(stdout, { maxBytes: 1_000_000, uniqueKeys: true });
}

const written = `# comments, anchors and odd texts, as people write them
resources: [cm.yaml]
commonAnnotations: &note {commit: e1234567, path: ., time: 12:30, day: 2001-12-14}
commonLabels:
  <<: *note
  path: a
  time: b
images:
- {name: app, newTag: "1.20"}
nameSuffix: -x
`;

test.each<[string, Files]>([
  ...fieldCases.map((one): [string, Files] => [one.field, filesOf(one, one.twinReference)]),
  ['texts of the kustomization file', { 'cm.yaml': configMap('a'), 'kustomization.yaml': written }],
])('rewriting the kustomization files changes nothing: %s', async (_title, files) => {
  const { objects } = await shop.render(files);
  expect(objects).toEqual(await bare(files));
});

test.each(['newTag: 1.20', 'newTag: yes', 'newTag: 0o12', 'digest: {a: b}', 'newName: [x]', 'newTga: "1"'])(
  'what bare kustomize refuses is refused: %s',
  async (field) => {
    const files = { 'cm.yaml': configMap('a'), 'kustomization.yaml': `resources: [cm.yaml]\nimages:\n- name: app\n  ${field}\n` };
    await expect(bare(files)).rejects.toThrow('invalid Kustomization');
    await expect(shop.render(files)).rejects.toThrow('invalid Kustomization');
  },
);
