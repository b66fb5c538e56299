import { expect, test } from 'vitest';
import { pathsFlagged } from './snippets.ts';

const head = `type Tx = { run(): Promise<number> };
declare function inTenant<T>(scope: string, work: (tx: Tx) => Promise<T>): Promise<T>;
declare function fetchIt(url: string): Promise<string>;
declare function save(tx: Tx, text: string): Promise<void>;
declare function scope(): Promise<string>;
`;

test('inside a transaction only the transaction is awaited', async () => {
  const flagged = await pathsFlagged('weir(tx-await-only)', {
    'core/bad-network.ts': `${head}export const one = inTenant('a', async (tx) => {\n  const text = await fetchIt('b');\n  await save(tx, text);\n});`,
    'core/bad-nested.ts': `${head}export const one = inTenant('a', async (tx) => {\n  for (const url of ['b']) {\n    if (url) await fetchIt(url);\n  }\n  return tx.run();\n});`,
    'core/good.ts': `${head}export async function one(): Promise<void> {\n  const text = await fetchIt('b');\n  await inTenant(await scope(), async (tx) => {\n    await tx.run();\n    await Promise.all([save(tx, text)]);\n  });\n  await fetchIt('c');\n}`,
  });
  expect(flagged).toEqual(['core/bad-nested.ts', 'core/bad-network.ts']);
});
