import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Children, signalGroup } from '#deploy/local/children.ts';

export type BackendRequest = Readonly<{ root: string; path: string; query: string; user: string }>;

const maxHeaderBytes = 16_384;

/**
 * Answers one smart HTTP request by `git http-backend` (CGI, RFC 3875), streamed both ways. The process group ends when the client leaves.
 * Settles when the answer is complete; returns its status.
 */
export function runBackend(children: Children, target: BackendRequest, request: IncomingMessage, reply: ServerResponse): Promise<number> {
  const child = spawn('git', ['http-backend'], {
    env: backendEnvironment(target, request),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const { pid } = child;
  if (pid !== undefined) children.add({ name: `git http-backend ${target.path}`, pid, lastSignal: 'SIGKILL' });
  reply.once('close', () => {
    if (pid !== undefined && !reply.writableFinished) signalGroup(pid, 'SIGKILL');
  });
  request.pipe(child.stdin);
  // A client that leaves, or a backend that refuses before it has read all, breaks the pipe: the answer tells, not this.
  child.stdin.on('error', () => request.unpipe(child.stdin));
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-2_000);
  });
  let head = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    if (reply.headersSent) {
      if (!reply.write(chunk)) pauseUntilDrained(child.stdout, reply);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) {
      if (head.length > maxHeaderBytes) child.stdout.destroy(new Error('git http-backend sent no end of headers'));
      return;
    }
    sendHead(head.subarray(0, end).toString('latin1'), reply);
    reply.write(head.subarray(end + 4));
  });
  return new Promise((resolve) => {
    const finish = (): void => {
      if (pid !== undefined) children.remove(pid);
      if (!reply.headersSent) reply.writeHead(500, { 'content-type': 'text/plain' }).write(`git http-backend gave no answer: ${stderr}\n`);
      reply.end();
      resolve(reply.statusCode);
    };
    child.once('error', (error) => {
      stderr = error.message;
      finish();
    });
    child.once('close', finish);
  });
}

function pauseUntilDrained(source: NodeJS.ReadableStream, reply: ServerResponse): void {
  source.pause();
  reply.once('drain', () => source.resume());
}

function sendHead(text: string, reply: ServerResponse): void {
  let status = 200;
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else reply.setHeader(name, value);
  }
  reply.writeHead(status);
}

function backendEnvironment(target: BackendRequest, request: IncomingMessage): Record<string, string> {
  const { headers } = request;
  const protocol = headers['git-protocol'];
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: target.root,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_PROJECT_ROOT: target.root,
    GIT_HTTP_EXPORT_ALL: '1',
    REQUEST_METHOD: request.method ?? 'GET',
    PATH_INFO: target.path,
    QUERY_STRING: target.query,
    REMOTE_ADDR: '127.0.0.1',
    REMOTE_USER: target.user,
    CONTENT_TYPE: headers['content-type'] ?? '',
    ...(headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: headers['content-length'] }),
    ...(headers['content-encoding'] === undefined ? {} : { HTTP_CONTENT_ENCODING: headers['content-encoding'] }),
    ...(typeof protocol === 'string' ? { GIT_PROTOCOL: protocol } : {}),
  };
}
