import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { createAuthority, issueCertificate } from '#adapters/x509/issue.ts';

const run = promisify(execFile);

/** A repository on the server's disk, changed by plain git. */
export type TestRepository = Readonly<{
  name: string;
  directory: string;
  /** Commits files (null deletes one, `link:` makes a symbolic link) on a branch and answers the commit. */
  commit(branch: string, files: Readonly<Record<string, string | null>>): Promise<string>;
  git(...words: readonly string[]): Promise<string>;
}>;

export type TestGitServer = Readonly<{
  url(name: string): string;
  caPem: string;
  port: number;
  /** Every request so far: method, path and authorization header. */
  requests: { method: string; url: string; authorization: string | undefined }[];
  /** Answers instead of git when it returns true. */
  intercept: { handle: ((request: IncomingMessage, response: ServerResponse) => boolean) | null };
  repository(name: string): Promise<TestRepository>;
  close(): Promise<void>;
}>;

/** A git server on 127.0.0.1 with the real `git http-backend`, over https with an authority of its own, or over http. */
export async function startGitServer({ http = false }: Readonly<{ http?: boolean }> = {}): Promise<TestGitServer> {
  const root = await mkdtemp(join(tmpdir(), 'weir-git-server-'));
  const nowMs = Date.now();
  const authority = await createAuthority({ commonName: 'test authority', validMs: 86_400_000, nowMs });
  const leaf = await issueCertificate(authority, {
    commonName: 'git.test',
    validMs: 86_400_000,
    nowMs,
    usage: 'server',
    names: ['localhost'],
    addresses: ['127.0.0.1'],
  });
  const requests: TestGitServer['requests'] = [];
  const intercept: TestGitServer['intercept'] = { handle: null };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push({ method: request.method ?? '', url: request.url ?? '', authorization: request.headers.authorization });
    if (intercept.handle?.(request, response) === true) return;
    backend(root, request, response);
  };
  const server = http ? createHttpServer(listener) : createHttpsServer({ key: leaf.keyPem, cert: leaf.certificatePem }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: (name) => `${http ? 'http' : 'https'}://localhost:${address.port}/${name}`,
    caPem: authority.certificatePem,
    port: address.port,
    requests,
    intercept,
    repository: (name) => createRepository(root, name),
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(root, { recursive: true, force: true });
    },
  };
}

function backend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://server');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      REMOTE_ADDR: '127.0.0.1',
    },
  });
  request.pipe(child.stdin).on('error', () => undefined);
  response.on('close', () => child.kill());
  let head = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    if (response.headersSent) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const lines = head
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map((line) => line.split(': '));
    const status = lines.find(([name]) => name === 'Status')?.[1];
    response.writeHead(
      Number(status?.slice(0, 3) ?? 200),
      Object.fromEntries(lines.filter(([name]) => name !== 'Status').map(([name, value]) => [name, value])),
    );
    response.write(head.subarray(end + 4));
  });
  child.on('close', () => response.end());
}

async function createRepository(root: string, name: string): Promise<TestRepository> {
  const bare = join(root, name);
  const work = join(root, `.work-${name.replaceAll('/', '-')}`);
  const env = {
    ...process.env,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@test',
    GIT_COMMITTER_NAME: 'c',
    GIT_COMMITTER_EMAIL: 'c@test',
  };
  const git = async (...words: readonly string[]): Promise<string> =>
    (await run('git', [...words], { cwd: work, env, maxBuffer: 100_000_000 })).stdout.trim();
  await run('git', ['init', '-q', '--bare', '-b', 'main', bare], { env });
  await run('git', ['-C', bare, 'config', 'receive.denyDeleteCurrent', 'ignore'], { env });
  await run('git', ['init', '-q', '-b', 'main', work], { env });
  return {
    name,
    directory: bare,
    git,
    async commit(branch, files) {
      const exists = await git('rev-parse', '--verify', '-q', branch).then(
        () => true,
        () => false,
      );
      await git(...(exists ? ['checkout', '-q', branch] : ['checkout', '-q', '--orphan', branch]));
      for (const [path, content] of Object.entries(files)) await change(join(work, path), content);
      await git('add', '-A', '-f');
      await git('commit', '-q', '--allow-empty', '-m', `change of ${branch}`);
      await git('push', '-q', '-f', bare, `${branch}:${branch}`);
      return git('rev-parse', 'HEAD');
    },
  };
}

async function change(path: string, content: string | null): Promise<void> {
  if (content === null) return rm(path, { recursive: true });
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  if (content.startsWith('link:')) return symlink(content.slice(5), path);
  await writeFile(path, content);
}
