import { expect, test } from 'vitest';
import { pathsFlagged } from './snippets.ts';

const head = 'declare const log: Record<string, (...all: unknown[]) => void>;\ndeclare const ctx: { log: typeof log };\n';
const tail = '\nexport {};';

test('a log message is a constant', async () => {
  const flagged = await pathsFlagged('weir(static-log-message)', {
    'core/bad-template.ts': `${head}log.info(\`took \${1 + 1} ms\`);${tail}`,
    'core/bad-sum.ts': `${head}ctx.log.warn('took ' + String(3));${tail}`,
    'core/bad-second.ts': `${head}const text = String(3);\nctx.log.error({ a: 1 }, text);${tail}`,
    'core/bad-variable.ts': `${head}const text = String(3);\nlog.debug(text);${tail}`,
    'core/good-message.ts': `${head}log.info('took long');\nlog.info('took long', { ms: 3 });${tail}`,
    'core/good-facts.ts': `${head}const error = new Error('x');\nctx.log.warn({ ms: 3, error }, 'took long');\nlog.error(error);${tail}`,
    'core/good-other.ts': `export const round = Math.log(3);\ndeclare const form: { error(text: string): void };\nform.error(String(3));`,
  });
  expect(flagged).toEqual(['core/bad-second.ts', 'core/bad-sum.ts', 'core/bad-template.ts', 'core/bad-variable.ts']);
});
