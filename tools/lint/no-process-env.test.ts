import { expect, test } from 'vitest';
import { pathsFlagged } from './snippets.ts';

test('the environment is read only where configuration is', async () => {
  const flagged = await pathsFlagged('weir(no-process-env)', {
    'adapters/git/bad-name.ts': 'export const home = process.env.HOME;',
    'adapters/git/bad-text.ts': "export const home = process['env'];",
    'adapters/git/bad-import.ts': "import { env } from 'node:process';\nexport const home = env.HOME;",
    'adapters/git/bad-destructured.ts': 'const { env } = process;\nexport const home = env.HOME;',
    'adapters/git/good.ts':
      'export function home(config: { home: string; env: string }): string {\n  return config.home + config.env + process.pid;\n}',
    'core/config.ts': 'export const home = process.env.HOME;',
    'deploy/start.ts': 'export const home = process.env.HOME;',
    'services/cli/main.ts': 'export const home = process.env.HOME;',
  });
  expect(flagged).toEqual([
    'adapters/git/bad-destructured.ts',
    'adapters/git/bad-import.ts',
    'adapters/git/bad-name.ts',
    'adapters/git/bad-text.ts',
  ]);
});
