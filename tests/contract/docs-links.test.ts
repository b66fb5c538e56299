import { glob, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import Type from 'typebox';
import Value from 'typebox/value';
import { expect, test } from 'vitest';
import { describeConfig } from '#core/config.ts';
import { otherVariables } from '#core/config-table.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const never = new Set(['node_modules', '.weir', '.git', 'dist', 'coverage', 'fixtures', 'corpus']);

type Page = Readonly<{ path: string; text: string }>;
/** Every Markdown file of the checkout, as it is on disk. */
const pages: readonly Page[] = await Array.fromAsync(glob('**/*.md', { cwd: root, exclude: (name) => never.has(name) }), async (path) => ({
  path,
  text: await readFile(join(root, path), 'utf8'),
}));
const manifest = Value.Parse(
  Type.Object({ scripts: Type.Record(Type.String(), Type.String()) }),
  JSON.parse(await readFile(join(root, 'package.json'), 'utf8')),
);

/** Text without fenced code: what stands in it is an example, not a link. */
function prose(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '');
}

/** Targets of `[text](target)`, without those of other places. */
function relativeLinks({ text }: Page): readonly string[] {
  const links = [...prose(text).matchAll(/\[[^\]\n]*\]\(([^)\s]+)\)/g)].map((one) => one[1] ?? '');
  return links.filter((target) => !/^[a-z][a-z0-9+.-]*:/.test(target));
}

/** Anchors of the headings as forges make them: lower case, blanks become hyphens, other signs go. */
function anchors(text: string): ReadonlySet<string> {
  const headings = [...prose(text).matchAll(/^#{1,6} (.+)$/gm)].map((one) => one[1] ?? '');
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{Letter}\p{Number} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

async function broken(page: Page, link: string): Promise<string | null> {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? page.path : relative(root, join(root, dirname(page.path), decodeURIComponent(file)));
  if (target.startsWith('..')) return `${page.path}: ${link} leads out of the repository`;
  const found = await stat(join(root, target)).catch(() => null);
  if (found === null) return `${page.path}: ${link} leads nowhere`;
  if (anchor === undefined || anchor === '') return null;
  if (found.isDirectory()) return `${page.path}: ${link} names a heading of a folder`;
  return anchors(await readFile(join(root, target), 'utf8')).has(anchor) ? null : `${page.path}: ${link} names a heading that is not there`;
}

test('every relative link leads to a file, and to a heading that is there', async () => {
  const links = pages.flatMap((page) => relativeLinks(page).map((link) => ({ page, link })));
  expect(links.length).toBeGreaterThan(30);
  const findings = await Promise.all(links.map(({ page, link }) => broken(page, link)));
  expect(findings.filter((one) => one !== null)).toEqual([]);
});

test('every npm script that a page names exists', () => {
  const named = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/npm run ([a-z][a-z0-9:-]*)/g)].map((one) => ({ path, script: one[1] ?? '' })),
  );
  expect(new Set(named.map((one) => one.script)).size).toBeGreaterThan(5);
  expect(named.filter(({ script }) => !(script in manifest.scripts))).toEqual([]);
  for (const script of ['start', 'test']) expect(manifest.scripts).toHaveProperty(script);
});

test('every WEIR_ variable that a page names is one', () => {
  const known = new Set([...describeConfig().map((one) => one.env), ...Object.keys(otherVariables)]);
  const named = pages.flatMap(({ path, text }) => [...text.matchAll(/\bWEIR_[A-Z][A-Z_]*[A-Z]\b/g)].map((one) => ({ path, name: one[0] })));
  expect(named.filter(({ name }) => !known.has(name))).toEqual([]);
});

test('the pages that a newcomer needs are there, and the map is short', async () => {
  for (const path of [
    'README.md',
    'AGENTS.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'SECURITY.md',
    'REVIEW.md',
    'docs/glossary.md',
    'docs/operations.md',
    'docs/config.md',
    'docs/errors.md',
    'docs/dependencies.md',
  ]) {
    expect(
      pages.map((page) => page.path),
      path,
    ).toContain(path);
  }
  const map = await readFile(join(root, 'AGENTS.md'), 'utf8');
  expect(map.split('\n').length).toBeLessThanOrEqual(200);
  const headings = [...map.matchAll(/^## (.+)$/gm)].map((one) => one[1]);
  expect(headings).toEqual([
    'Rules of contribution',
    'Code quality',
    'Overview',
    'Layout',
    'Commands',
    'Conventions',
    'Gotchas and non-obvious rules',
    'Generated files',
  ]);
});

test('no page names a folder of somebody’s machine', () => {
  const places = pages.filter(({ text }) => /(^|[\s`"'(])\/(root|home|work|Users)\//m.test(text)).map((page) => page.path);
  expect(places).toEqual([]);
});
