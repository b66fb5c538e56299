import { describe, expect, it } from 'vitest';
import { AppError } from '#core/errors.ts';
import { createLog, type LogLevel } from './pino-log.ts';
import { secretNames } from './redaction.ts';

function capture(
  level: LogLevel = 'debug',
): Readonly<{ log: ReturnType<typeof createLog>; text(): string; lines(): Record<string, unknown>[] }> {
  const written: string[] = [];
  const log = createLog({ level, bindings: { service: 'api' }, destination: { write: (line: string) => void written.push(line) } });
  return { log, text: () => written.join(''), lines: () => written.map((line) => JSON.parse(line)) };
}

const canary = 'canary-4c1f';
const separated = ['x-gitlab-token', 'x-hub-signature', 'x-hub-signature-256', 'x-signature', 'set-cookie'];

describe('redaction by name', () => {
  it.each([...secretNames, ...separated])('%s at three levels, in facts and in bindings', (name) => {
    const { log, text } = capture();
    const facts = { [name]: canary, one: { [name]: canary, two: { [name]: canary } }, kept: 'shown' };
    log.info(facts, 'static');
    log.child(facts).warn({}, 'static');
    expect(text()).not.toContain(canary);
    expect(text()).toContain('shown');
  });
});

describe('redaction by shape', () => {
  const weirToken = `weir_${'a'.repeat(16)}_${'B'.repeat(43)}`;
  const shapes: readonly (readonly [string, string, string])[] = [
    ['a Weir token', `bad ${weirToken} here`, weirToken],
    ['a JWT', 'got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJl', 'eyJzdWIiOiJqYW5lIn0'],
    ['a webhook path', `POST /hook/${'0123456789abcdef'.repeat(4)}`, '0123456789abcdef'],
    ['a URL with credentials', 'cannot reach postgres://weir:s3cret@db/weir', 's3cret'],
    ['a bearer header', 'authorization: Bearer abcdefghijklmnop', 'abcdefghijklmnop'],
    ['a private key', `-----BEGIN PRIVATE KEY-----\nTUlH\n-----END PRIVATE KEY-----`, 'TUlH'],
  ];
  it.each(shapes)('%s, in a fact, deep in one, in an error, its stack and its cause', (_what, text, secret) => {
    const { log, text: written } = capture();
    log.info({ note: text, deep: { list: [text] } }, 'static');
    log.error({ error: new AppError('internal', text, {}, { cause: new Error(text) }) }, 'static');
    expect(written()).not.toContain(secret);
  });

  it('benign twin: ordinary text, addresses and digests stay readable', () => {
    const { log, lines } = capture();
    log.info({ url: 'https://git.example/app.git', digest: `sha256:${'a'.repeat(64)}`, user: 'jane@acme.test' }, 'static');
    expect(lines()[0]).toMatchObject({
      url: 'https://git.example/app.git',
      digest: `sha256:${'a'.repeat(64)}`,
      user: 'jane@acme.test',
      msg: 'static',
      service: 'api',
      level: 'info',
    });
  });
});

describe('lines', () => {
  it('leave out what is below the level', () => {
    const { log, lines } = capture('warn');
    log.info({}, 'quiet');
    log.error({}, 'loud');
    expect(lines().map((line) => line['msg'])).toEqual(['loud']);
  });

  it('show errors with code and cause, big integers as text, and stay bounded', () => {
    const { log, lines, text } = capture();
    log.error(
      {
        error: new AppError('conflict', 'moved', {}, { cause: new Error('inner') }),
        version: 12_345_678_901_234_567_890n,
        body: 'x'.repeat(100_000),
      },
      'static',
    );
    expect(lines()[0]).toMatchObject({
      error: { name: 'AppError', code: 'conflict', message: 'moved', cause: { message: 'inner' } },
      version: '12345678901234567890',
    });
    expect(text().length).toBeLessThan(20_000);
  });
});
