import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, realpath } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LocalAuthority, localServerCertificate } from '#deploy/local/certificates.ts';
import type { Children } from '#deploy/local/children.ts';
import { decideAccess, type GitCredential, type RepositoryAccess } from '#deploy/local/git-access.ts';
import { runBackend } from '#deploy/local/git-backend.ts';
import { git } from '#deploy/local/git-run.ts';
import { installWebhooks, type Webhook } from '#deploy/local/git-webhooks.ts';
import { type FileChanges, openWorkingCopy, type WorkingCopy } from '#deploy/local/git-working-copy.ts';

export type GitServerOptions = Readonly<{
  /** Repositories and working copies live below it; kept after the stop. */
  dir: string;
  /** Null serves plain http. */
  authority: LocalAuthority | null;
}>;

export type RepositoryOptions = Readonly<{
  access: RepositoryAccess;
  /** First commit on `main`; none leaves the repository empty. */
  files?: Readonly<Record<string, string>>;
  webhooks?: readonly Webhook[];
  /** Settings of the bare repository, such as `uploadpack.allowFilter`. */
  settings?: Readonly<Record<string, string>>;
}>;

export type GitRequest = Readonly<{
  method: string;
  path: string;
  query: string;
  /** Scheme of the Authorization header in lower case, null without one. */
  authorization: string | null;
  userAgent: string;
  status: number;
}>;

export type GitServer = Readonly<{
  /** https://127.0.0.1:PORT */
  url: string;
  urlOf(repository: string): string;
  createRepository(name: string, options: RepositoryOptions): Promise<void>;
  setWebhooks(name: string, webhooks: readonly Webhook[]): Promise<void>;
  /** A commit by a push of the server's own maintainer, who may push everywhere. Returns it. */
  commitFiles(name: string, branch: string, changes: FileChanges, message?: string): Promise<string>;
  /** The maintainer's working copy, for everything else: force-push, deleted branches, tags. */
  workingCopy(name: string): Promise<WorkingCopy>;
  /** Where the bare repository is. */
  repositoryDir(name: string): string;
  /** Every answered request, oldest first, the last 10,000 of them. */
  requests(): readonly GitRequest[];
  clearRequests(): void;
  /** Waits so long before each answer from now on. */
  setDelay(delayMs: number): void;
  /** False: connections are refused and open ones cut, until true again on the same port. */
  setReachable(isReachable: boolean): Promise<void>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}>;

const host = '127.0.0.1';
const maxRecorded = 10_000;
const repositoryName = /^[a-z0-9][a-z0-9._-]{0,99}$/;
const smartPath = /^\/([a-z0-9][a-z0-9._-]{0,99})\.git\/(?:info\/refs|git-upload-pack|git-receive-pack)$/;

/** A real git server (`git http-backend`) over TLS on a free port of 127.0.0.1, for demo and tests. */
export async function startGitServer(children: Children, options: GitServerOptions): Promise<GitServer> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const dir = await realpath(options.dir);
  const root = join(dir, 'repositories');
  await mkdir(root, { recursive: true });
  const maintainer: GitCredential = { scheme: 'basic', username: 'maintainer', password: randomBytes(24).toString('hex'), mayPush: true };
  const access = new Map<string, RepositoryAccess>();
  const copies = new Map<string, Promise<WorkingCopy>>();
  const recorded: GitRequest[] = [];
  let delayMs = 0;

  const handle = async (request: IncomingMessage, reply: ServerResponse): Promise<void> => {
    if (delayMs > 0) await sleep(delayMs);
    const url = new URL(request.url ?? '/', 'http://local.invalid');
    const status = await answer({ children, root, access, maintainer, url }, request, reply);
    if (recorded.length >= maxRecorded) recorded.shift();
    recorded.push(describe(request, url, status));
  };
  const certificate = options.authority === null ? null : await localServerCertificate(options.authority, 'git server');
  const server: Server =
    certificate === null ? createHttpServer() : createHttpsServer({ cert: certificate.certificatePem, key: certificate.keyPem });
  server.on('request', (request: IncomingMessage, reply: ServerResponse) => {
    handle(request, reply).catch((error: unknown) => reply.destroy(error instanceof Error ? error : new Error(String(error))));
  });
  const port = await listen(server, 0);
  const url = `${options.authority === null ? 'http' : 'https'}://${host}:${port}`;
  const urlOf = (name: string): string => `${url}/${name}.git`;
  const repositoryDir = (name: string): string => join(root, `${name}.git`);

  const workingCopy = (name: string): Promise<WorkingCopy> => {
    const caFile = options.authority?.certificateFile ?? null;
    const copy =
      copies.get(name) ?? openWorkingCopy({ dir: join(dir, 'maintainer', name), url: urlOf(name), caFile, credential: maintainer });
    copies.set(name, copy);
    return copy;
  };
  const commitFiles: GitServer['commitFiles'] = async (name, branch, changes, message) =>
    (await workingCopy(name)).commit(branch, changes, message);
  const createRepository = async (name: string, repository: RepositoryOptions): Promise<void> => {
    if (!repositoryName.test(name) || access.has(name)) throw new Error(`repository ${name} exists, or is no good name`);
    await git(root, 'init', '--quiet', '--bare', '--initial-branch=main', `${name}.git`);
    const settings = { 'http.receivepack': 'true', 'receive.denyDeleteCurrent': 'ignore', 'gc.auto': '0', ...repository.settings };
    for (const [key, value] of Object.entries(settings)) await git(repositoryDir(name), 'config', key, value);
    access.set(name, repository.access);
    if (repository.files !== undefined) await commitFiles(name, 'main', repository.files, 'First commit');
    await installWebhooks(repositoryDir(name), repository.webhooks ?? []);
  };
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return Object.freeze({
    url,
    urlOf,
    createRepository,
    setWebhooks: (name: string, webhooks: readonly Webhook[]) => installWebhooks(repositoryDir(name), webhooks),
    commitFiles,
    workingCopy,
    repositoryDir,
    requests: () => [...recorded],
    clearRequests: () => void recorded.splice(0),
    setDelay: (ms: number) => {
      delayMs = ms;
    },
    setReachable: async (isReachable: boolean) => {
      if (!isReachable) await close();
      else if (!server.listening) await listen(server, port);
    },
    stop: close,
    [Symbol.asyncDispose]: close,
  });
}

type Site = Readonly<{
  children: Children;
  root: string;
  access: ReadonlyMap<string, RepositoryAccess>;
  maintainer: GitCredential;
  url: URL;
}>;

async function answer(site: Site, request: IncomingMessage, reply: ServerResponse): Promise<number> {
  const name = smartPath.exec(site.url.pathname)?.[1];
  const access = name === undefined ? undefined : site.access.get(name);
  if (access === undefined) return refuse(reply, 404, 'no such repository');
  const isPush = site.url.pathname.endsWith('/git-receive-pack') || site.url.searchParams.get('service') === 'git-receive-pack';
  const known = { ...access, credentials: [...access.credentials, site.maintainer] };
  const decision = decideAccess(known, request.headers, isPush);
  if (decision === 'unauthenticated') {
    reply.setHeader('www-authenticate', 'Basic realm="demo git server"');
    return refuse(reply, 401, 'login needed');
  }
  if (decision === 'forbidden') return refuse(reply, 403, 'this login may not push');
  const user = isPush ? 'pusher' : '';
  return runBackend(site.children, { root: site.root, path: site.url.pathname, query: site.url.search.slice(1), user }, request, reply);
}

function refuse(reply: ServerResponse, status: number, message: string): number {
  reply.writeHead(status, { 'content-type': 'text/plain' }).end(`${message}\n`);
  return status;
}

function describe(request: IncomingMessage, url: URL, status: number): GitRequest {
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: url.search.slice(1),
    authorization: request.headers.authorization?.split(' ', 1)[0]?.toLowerCase() ?? null,
    userAgent: request.headers['user-agent'] ?? '',
    status,
  };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the git server got no port');
  return address.port;
}
