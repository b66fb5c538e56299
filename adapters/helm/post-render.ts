import { chmod } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { AppError } from '#core/errors.ts';

/**
 * What helm is about to apply (all templates and hooks as one YAML stream), and what it shall apply instead. It throws to refuse the list: nothing of it is
 * applied then, and `perform` throws the same error.
 */
export type PostRender = (manifests: string) => Promise<string>;

export type PostRenderGate = Readonly<{
  /** What a refusal was, or null. */
  refused(): unknown;
  /** How many lists have passed: a release of a chart that renders anything must have passed once. */
  passed(): number;
  close(): Promise<void>;
}>;

const MAX_BYTES = 64 * 1024 * 1024;

/**
 * The choke point of a release (threats B13): helm's post-renderer in the sandbox hands the final list over this socket, and what comes back is all that helm
 * gets. The answer begins with its length, so that a cut one is never taken for a shorter list; a refused list gets none, and the post-renderer, and helm with it,
 * fails.
 */
export async function openPostRender(socketPath: string, render: PostRender): Promise<PostRenderGate> {
  const open = new Set<Socket>();
  let refusal: unknown = null;
  let passed = 0;
  const refuse = (socket: Socket, error: unknown): void => {
    refusal ??= error;
    socket.destroy();
  };
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    readAll(socket)
      .then(render)
      .then((text) => {
        passed += 1;
        socket.end(`${Buffer.byteLength(text)}\n${text}`);
      })
      .catch((error: unknown) => refuse(socket, error));
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(socketPath, resolve);
  });
  await chmod(socketPath, 0o666);
  return Object.freeze({
    refused: () => refusal,
    passed: () => passed,
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  });
}

function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= MAX_BYTES) return;
      reject(new AppError('buildFailed', `the chart renders to more than ${MAX_BYTES} bytes, the limit`));
      socket.destroy();
    });
    socket.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    socket.once('close', () => reject(new Error('the post-renderer went away')));
  });
}
