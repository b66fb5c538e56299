import { expect, test } from 'vitest';
import { pathsFlagged } from './snippets.ts';

test('an index.ts builds something', async () => {
  const flagged = await pathsFlagged('weir(no-barrel)', {
    'kinds/bad-all/index.ts': "export * from './schema.ts';",
    'kinds/bad-named/index.ts': "export { a } from './schema.ts';\nexport type { B } from './schema.ts';",
    'kinds/bad-through/index.ts': "import { a } from './schema.ts';\nexport { a };",
    'kinds/good/index.ts': "import { a } from './schema.ts';\nexport const kind = Object.freeze({ a });",
    'kinds/good/schema.ts': "export { a } from './other.ts';",
  });
  expect(flagged).toEqual(['kinds/bad-all/index.ts', 'kinds/bad-named/index.ts', 'kinds/bad-through/index.ts']);
});
