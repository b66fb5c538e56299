import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { at, type JsonObject, textAt } from '#core/json.ts';
import { useImageStage } from './stage.ts';

const stage = useImageStage();
const registryLogin = { secretRef: { name: 'registry-login' }, certSecretRef: { name: 'registry-ca' } };
const image = (repository: string): string => `${stage.registry().host}/${repository}`;
const bot = { scheme: 'basic', username: 'bot', password: 'bot-password-7c1f', mayPush: true } as const;
const reader = { scheme: 'basic', username: 'reader', password: 'reader-password-7c1f', mayPush: false } as const;
const author = { name: 'Weir Bot', email: 'bot@weir.test' };
const mark = (setter: string): string => `# {"$imagepolicy": "acme:${setter}"}`;

beforeAll(async () => {
  await stage.logins();
  const ca = { 'ca.crt': stage.caPem() };
  await stage.secret('git-bot', { username: bot.username, password: bot.password, ...ca });
  await stage.secret('git-reader', { username: reader.username, password: reader.password, ...ca });
  await stage.push('team/app', '1.0.0');
  await stage.create('ImageRepository', 'app', { image: image('team/app'), interval: '10m', ...registryLogin });
  await stage.create('ImagePolicy', 'app', { imageRepositoryRef: { name: 'app' }, policy: { semver: { range: '1.x' } } });
  await stage.settle();
});

/** A repository of its own with a GitRepository of the same name, not looked at yet. */
async function repository(name: string, files: Readonly<Record<string, string>>, secretName = 'git-bot'): Promise<void> {
  await stage.git().createRepository(name, { access: { readers: 'credentials', credentials: [bot, reader] }, files });
  await stage.create('GitRepository', name, {
    url: stage.git().urlOf(name),
    interval: '10m',
    ref: { branch: 'main' },
    secretRef: { name: secretName },
  });
}

async function automation(name: string, spec: JsonObject = {}): Promise<void> {
  await stage.create('ImageUpdateAutomation', name, {
    interval: '10m',
    sourceRef: { kind: 'GitRepository', name },
    git: { commit: { author } },
    ...spec,
  });
  await stage.settle();
}

async function git(name: string, ...words: readonly string[]): Promise<string> {
  const copy = await stage.git().workingCopy(name);
  await copy.git('fetch', '--quiet', '--prune', 'origin');
  return (await copy.git(...words)).trim();
}

const status = async (name: string): Promise<JsonObject> => {
  const found = at(await stage.get('ImageUpdateAutomation', name), 'status');
  return found as JsonObject;
};

test('an image tag is pushed, and its commit is on the branch: marked fields and nothing else', async () => {
  const old = `# kept\nimage: old:1 ${mark('app')}\r\nother: old:1\nimages:\n  - newName: x ${mark('app:name')}\n    newTag: 'y' ${mark('app:tag')}\n`;
  await repository('loop', {
    'apps/web.yaml': old,
    'apps/notes.txt': `image: old:1 ${mark('app')}\n`,
    'outside.yaml': `image: old:1 ${mark('app')}\n`,
  });
  await automation('loop', {
    update: { strategy: 'Setters', path: './apps' },
    git: {
      commit: {
        author,
        messageTemplate:
          'Update {{ .AutomationObject }} on {{ .Values.cluster }}\n\n{{ range .Changed.Changes -}}\n- {{ .Setter }}: {{ .OldValue }} -> {{ .NewValue }}\n{{ end -}}\n',
        messageTemplateValues: { cluster: 'prod' },
      },
    },
  });
  const first = await status('loop');
  const head = await git('loop', 'rev-parse', 'origin/main');
  expect(await stage.ready('ImageUpdateAutomation', 'loop')).toMatchObject({
    status: 'True',
    reason: 'Succeeded',
    message: `pushed commit '${head.slice(0, 7)}' to branch 'main'`,
  });
  expect(first).toMatchObject({
    observedGeneration: 1,
    lastPushCommit: head,
    observedSourceRevision: `main@sha1:${head}`,
    observedPolicies: { app: { name: image('team/app'), tag: '1.0.0' } },
    lastPushTime: expect.stringMatching(/Z$/),
    lastAutomationRunTime: expect.stringMatching(/Z$/),
  });
  const copy = await stage.git().workingCopy('loop');
  expect(await copy.git('show', 'origin/main:apps/web.yaml')).toBe(
    `# kept\nimage: ${image('team/app')}:1.0.0 ${mark('app')}\r\nother: old:1\nimages:\n  - newName: ${image('team/app')} ${mark('app:name')}\n    newTag: '1.0.0' ${mark('app:tag')}\n`,
  );
  expect(await git('loop', 'diff', '--name-only', 'origin/main~1', 'origin/main')).toBe('apps/web.yaml');
  const message = await git('loop', 'log', '-1', '--format=%an <%ae>%n%B', 'origin/main');
  expect(message).toMatch(
    /^Weir Bot <bot@weir\.test>\nUpdate acme\/loop on prod\n\n- acme:app: old:1 -> .*:1\.0\.0\n- acme:app:name: x -> .*\n- acme:app:tag: y -> 1\.0\.0\n\nWeir-Update: [0-9a-f]{64}$/,
  );
  const [row] = await stage.api.plane.ask(
    `select w.cause from weir.work w join weir.objects o on o.uid = w.unit_id where o.kind = 'GitRepository' and o.name = 'loop'`,
  );
  expect(row).toEqual({ cause: 'image update pushed' });
  expect(textAt(await stage.get('GitRepository', 'loop'), 'status', 'artifact', 'revision'), 'the source follows at once').toBe(
    `main@sha1:${head}`,
  );

  await stage.push('team/app', '1.1.0');
  await stage.due('ImageRepository', 'app');
  const ran = await stage.settle();
  expect(ran.slice(0, 3)).toEqual(['ImageRepository/app', 'ImagePolicy/app', 'ImageUpdateAutomation/loop']);
  expect(await copy.git('fetch', '--quiet', 'origin')).toBe('');
  expect(await copy.git('show', 'origin/main:apps/web.yaml')).toContain(`image: ${image('team/app')}:1.1.0 ${mark('app')}`);
  expect(await git('loop', 'rev-list', '--count', 'origin/main')).toBe('3');
});

test('the same policies on the same head are one ls-remote and write nothing; a human commit is looked through and kept', async () => {
  await repository('quiet', { 'a.yaml': `image: x:1 ${mark('app')}\n` });
  await automation('quiet');
  const before = await stage.get('ImageUpdateAutomation', 'quiet');
  stage.git().clearRequests();
  await stage.due('ImageUpdateAutomation', 'quiet');
  await stage.settle();
  const asked = stage
    .git()
    .requests()
    .filter(({ path }) => path.startsWith('/quiet.git'));
  expect(asked.filter(({ path }) => path.endsWith('git-receive-pack'))).toEqual([]);
  expect(asked.filter(({ query }) => query.includes('git-upload-pack')).length).toBe(1);
  expect(at(await stage.get('ImageUpdateAutomation', 'quiet'), 'metadata', 'resourceVersion')).toBe(
    at(before, 'metadata', 'resourceVersion'),
  );
  const human = await stage.git().commitFiles('quiet', 'main', { 'human.yaml': `image: x:1 ${mark('app')}\n` });
  await stage.due('ImageUpdateAutomation', 'quiet');
  await stage.settle();
  expect(await git('quiet', 'merge-base', '--is-ancestor', human, 'origin/main')).toBe('');
  expect(await git('quiet', 'rev-list', '--count', 'origin/main')).toBe('4');
});

test('a commit whose record was lost is known by its trailer and not made twice', async () => {
  await repository('record', { 'a.yaml': `image: x:1 ${mark('app')}\n` });
  await automation('record');
  const pushed = textAt(await status('record'), 'lastPushCommit');
  // As after a kill between push and record.
  await stage.api.plane.ask(
    `update weir.objects set status = (status::jsonb - 'lastPushCommit' - 'lastPushTime' - 'observedPolicies' - 'observedSourceRevision')::json where kind = 'ImageUpdateAutomation' and name = 'record'`,
  );
  await stage.due('ImageUpdateAutomation', 'record');
  await stage.settle();
  expect(await status('record')).toMatchObject({ lastPushCommit: pushed, observedSourceRevision: `main@sha1:${pushed}` });
  expect(await git('record', 'rev-list', '--count', 'origin/main')).toBe('2');
});

test('another branch is made from the checkout, never moved by force, with push options and a selector', async () => {
  await stage.push('team/second', '3.0.0');
  await stage.create('ImageRepository', 'second', { image: image('team/second'), interval: '10m', ...registryLogin });
  await stage.create(
    'ImagePolicy',
    'second',
    { imageRepositoryRef: { name: 'second' }, policy: { semver: { range: '*' } } },
    { labels: { team: 'two' } },
  );
  await stage.settle();
  await stage.git().createRepository('branch', {
    access: { readers: 'credentials', credentials: [bot] },
    files: { 'a.yaml': `image: x:1 ${mark('app')}\nsecond: x:1 ${mark('second')}\n` },
    settings: { 'receive.advertisePushOptions': 'true' },
  });
  await stage.create('GitRepository', 'branch', {
    url: stage.git().urlOf('branch'),
    interval: '10m',
    ref: { branch: 'main' },
    secretRef: { name: 'git-bot' },
  });
  await automation('branch', {
    policySelector: { matchExpressions: [{ key: 'team', operator: 'In', values: ['one', 'two'] }] },
    git: { commit: { author }, push: { branch: 'updates', refspec: 'refs/heads/updates:refs/heads/review/x', options: { 'ci.skip': '' } } },
  });
  expect(await stage.ready('ImageUpdateAutomation', 'branch')).toMatchObject({ status: 'True' });
  expect(await git('branch', 'show', 'origin/updates:a.yaml')).toBe(
    `image: x:1 ${mark('app')}\nsecond: ${image('team/second')}:3.0.0 ${mark('second')}`,
  );
  expect(await git('branch', 'rev-parse', 'origin/review/x')).toBe(await git('branch', 'rev-parse', 'origin/updates'));
  expect(await git('branch', 'rev-list', '--count', 'origin/main')).toBe('1');
  expect(at(await status('branch'), 'observedPolicies')).toEqual({ second: { name: image('team/second'), tag: '3.0.0' } });
});

test('a branch begins at a commit or at the highest tag of a range, and its commits are signed', async () => {
  await repository('begun', { 'a.yaml': `first: x:1 ${mark('app')}\n` });
  const first = await git('begun', 'rev-parse', 'origin/main');
  const second = await stage.git().commitFiles('begun', 'main', { 'a.yaml': `second: x:1 ${mark('app')}\n` });
  await stage.git().commitFiles('begun', 'main', { 'a.yaml': `third: x:1 ${mark('app')}\n` });
  const copy = await stage.git().workingCopy('begun');
  for (const [tag, commit] of [
    ['v1.0.0', first],
    ['v1.1.0', second],
  ] as const)
    await copy.git('push', '--quiet', 'origin', `${commit}:refs/tags/${tag}`);
  const { publicKey, identity } = await sshKey();
  await stage.secret('signing', { identity });
  const signingKey = { type: 'ssh', secretRef: { name: 'signing' } };
  const of = (ref: JsonObject, branch: string) => ({
    sourceRef: { kind: 'GitRepository', name: 'begun' },
    git: { checkout: { ref }, commit: { author, signingKey }, push: { branch } },
  });
  await automation('begun-commit', of({ commit: first, branch: 'main' }, 'from-commit'));
  await automation('begun-range', of({ semver: '1.x', tag: 'v1.0.0' }, 'from-range'));
  expect(await git('begun', 'show', 'origin/from-commit:a.yaml')).toBe(`first: ${image('team/app')}:1.1.0 ${mark('app')}`);
  expect(await git('begun', 'show', 'origin/from-range:a.yaml')).toBe(`second: ${image('team/app')}:1.1.0 ${mark('app')}`);
  expect(await git('begun', 'rev-parse', 'origin/from-commit~1', 'origin/from-range~1')).toBe(`${first}\n${second}`);
  const signers = join(copy.dir, '.git', 'signers');
  await writeFile(signers, `${author.email} ${publicKey}`);
  await git('begun', '-c', `gpg.ssh.allowedSignersFile=${signers}`, 'verify-commit', 'origin/from-range');
  await stage.due('ImageUpdateAutomation', 'begun-commit');
  await stage.settle();
  expect(await git('begun', 'rev-list', '--count', 'origin/from-commit'), 'it grows from then on').toBe('2');
});

async function sshKey() {
  const file = join(tmpdir(), `weir-test-key-${randomUUID()}`);
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  const [identity, publicKey] = await Promise.all([readFile(file, 'utf8'), readFile(`${file}.pub`, 'utf8')]);
  await Promise.all([rm(file), rm(`${file}.pub`)]);
  return { identity, publicKey };
}

test('E8: a source of another tenant is denied, a policy of another namespace sets nothing', async () => {
  await stage.create('GitRepository', 'theirs', { url: 'https://git.test/x', interval: '10m' }, { namespace: 'other', as: 'stranger' });
  const messages: string[] = [];
  for (const [name, namespace] of [
    ['foreign', 'other'],
    ['nowhere', 'no-such'],
  ] as const) {
    await stage.create('ImageUpdateAutomation', name, {
      interval: '10m',
      sourceRef: { kind: 'GitRepository', name: 'theirs', namespace },
      git: { commit: { author } },
    });
    await stage.settle();
    const outcome = await stage.ready('ImageUpdateAutomation', name);
    expect(outcome).toMatchObject({ status: 'False', reason: 'AccessDenied', stalled: true });
    messages.push(outcome.message.replace(namespace, '…'));
  }
  expect(messages[0]).toBe(messages[1]);
});

test.each<readonly [string, JsonObject, Readonly<{ reason: string; stalled: boolean }>, string]>([
  ['no-git', { git: undefined as never }, { reason: 'InvalidSourceConfiguration', stalled: true }, 'spec.git is needed'],
  [
    'no-branch',
    { git: { checkout: { ref: { tag: 'v1' } }, commit: { author } } },
    { reason: 'InvalidSourceConfiguration', stalled: true },
    'spec.git.push.branch is needed',
  ],
  ['no-source', { sourceRef: { kind: 'GitRepository', name: 'none' } }, { reason: 'SourceManagerFailed', stalled: false }, 'not found'],
  [
    'removed',
    { git: { commit: { author, messageTemplate: '{{ range .Updated.Images }}{{ . }}{{ end }}' } } },
    { reason: 'RemovedTemplateField', stalled: true },
    '.Updated',
  ],
  [
    'selector',
    { policySelector: { matchExpressions: [{ key: 'a', operator: 'Near' }] } },
    { reason: 'InvalidPolicySelector', stalled: true },
    'valid operator',
  ],
  [
    'signing',
    { git: { commit: { author, signingKey: { secretRef: { name: 'x' } } } } },
    { reason: 'GitOperationFailed', stalled: false },
    'acme/x of spec.git.commit.signingKey does not exist',
  ],
  [
    'short-commit',
    { git: { checkout: { ref: { commit: 'abc123' } }, commit: { author }, push: { branch: 'x' } } },
    { reason: 'InvalidSourceConfiguration', stalled: true },
    'spec.git.checkout.ref names no reference',
  ],
  [
    'no-version',
    { git: { checkout: { ref: { semver: '>=9' } }, commit: { author }, push: { branch: 'x' } } },
    { reason: 'GitOperationFailed', stalled: false },
    'no match found for semver: >=9',
  ],
  [
    'template',
    { git: { commit: { author, messageTemplate: '{{ .Values.none }}' } } },
    { reason: 'UpdateFailed', stalled: false },
    "'none'",
  ],
  [
    'trailer',
    { git: { commit: { author, messageTemplate: 'x\n\nWeir-Update: 00' } } },
    { reason: 'UpdateFailed', stalled: false },
    'Weir-Update',
  ],
  [
    'no-ref',
    { git: { checkout: { ref: { branch: 'none' } }, commit: { author } } },
    { reason: 'GitOperationFailed', stalled: false },
    'refs/heads/none',
  ],
])('going wrong: %s', async (name, spec, expected, message) => {
  if (name === 'no-git') await repository('wrong', { 'a.yaml': `image: x:1 ${mark('app')}\n` });
  await automation(name, { sourceRef: { kind: 'GitRepository', name: 'wrong' }, ...spec });
  const outcome = await stage.ready('ImageUpdateAutomation', name);
  expect(outcome).toMatchObject({ status: 'False', ...expected });
  expect(outcome.message).toContain(message);
  expect(await git('wrong', 'rev-list', '--count', 'origin/main')).toBe('1');
});

test('a login that may not push, and one that is missing, are said and shown nowhere', async () => {
  await repository('readonly', { 'a.yaml': `image: x:1 ${mark('app')}\n` }, 'git-reader');
  await automation('readonly');
  expect(await stage.ready('ImageUpdateAutomation', 'readonly')).toMatchObject({
    status: 'False',
    reason: 'GitOperationFailed',
    stalled: false,
  });
  expect(JSON.stringify(await stage.get('ImageUpdateAutomation', 'readonly'))).not.toContain(reader.password);
  await repository('loginless', { 'a.yaml': '1\n' }, 'git-none');
  await automation('loginless');
  expect(await stage.ready('ImageUpdateAutomation', 'loginless')).toMatchObject({
    status: 'False',
    reason: 'SourceManagerFailed',
    message: expect.stringContaining('does not exist'),
  });
});

test('C16, C1: what would reach beyond the folder, the line or the branch is refused at admission', async () => {
  const post = async (spec: JsonObject) =>
    (
      await stage.api.ask('admin', '/apis/image.toolkit.fluxcd.io/v1/namespaces/acme/imageupdateautomations', {
        method: 'POST',
        body: {
          apiVersion: 'image.toolkit.fluxcd.io/v1',
          kind: 'ImageUpdateAutomation',
          metadata: { name: 'refused', namespace: 'acme' },
          spec: { interval: '1m', sourceRef: { kind: 'GitRepository', name: 'x' }, ...spec },
        },
      })
    ).status;
  const commit = { author };
  for (const spec of [
    { update: { path: '../other' } },
    { update: { path: 'a/.git/hooks' } },
    { git: { commit: { author: { name: 'a\nb', email: 'x' } } } },
    { git: { commit: { author: { name: 'a', email: 'x> <y' } } } },
    { git: { commit, push: { branch: '--force' } } },
    { git: { commit, push: { branch: 'a:b' } } },
    { git: { commit, push: { refspec: '+refs/heads/a:refs/heads/b' } } },
    { git: { commit, push: { refspec: ':refs/heads/b' } } },
    { git: { commit: { author, messageTemplate: '{{ env "HOME" }}' } } },
    { git: { commit: { author, messageTemplate: '{{ .Changed' } } },
  ])
    expect(await post(spec), JSON.stringify(spec)).toBe(422);
});
