import { AppError } from '#core/errors.ts';
import { openUnixServer, readAll } from './unix-server.ts';

/**
 * What helm is about to apply (all templates and hooks as one YAML stream), and what it shall apply instead. It throws to refuse the list: nothing of it is
 * applied then, and `perform` throws the same error.
 */
export type PostRender = (manifests: string) => Promise<string>;

export type PostRenderGate = Readonly<{
  /** What a refusal was, or null. */
  refused(): Error | null;
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
  let refusal: Error | null = null;
  let passed = 0;
  const server = await openUnixServer(socketPath, (socket) => {
    readAll(socket, MAX_BYTES, tooMuch)
      .then((list) => render(list.toString('utf8')))
      .then((text) => {
        passed += 1;
        socket.end(`${Buffer.byteLength(text)}\n${text}`);
      })
      .catch((error: unknown) => {
        refusal ??= error instanceof Error ? error : new Error(String(error));
        socket.destroy();
      });
  });
  return Object.freeze({ refused: () => refusal, passed: () => passed, close: () => server.close() });
}

function tooMuch(): AppError {
  return new AppError('buildFailed', `the chart renders to more than ${MAX_BYTES} bytes, the limit`);
}
