import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { POST_RENDERER } from './argv.ts';
import type { Mount, Runtime } from './sandbox.ts';

const PLUGINS = '/plugins';
const NODE = '/tool/node';
const INSIDE = fileURLToPath(new URL('./post-render-inside.ts', import.meta.url));

/** The plugin folder of one run, with our post-renderer alone in it, as helm 4 wants it (helm.sh/docs, plugin API version v1, type postrenderer/v1). */
export async function writePlugin(
  dir: string,
  socketPath: string,
  runtime: Runtime,
): Promise<Readonly<{ mounts: readonly Mount[]; env: Readonly<Record<string, string>> }>> {
  const folder = join(dir, 'plugins', POST_RENDERER);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const args = ['--no-warnings', '--disable-wasm-trap-handler', '/weir/post-render.ts', '/in/post.sock'];
  const plugin = {
    apiVersion: 'v1',
    type: 'postrenderer/v1',
    name: POST_RENDERER,
    version: '1.0.0',
    runtime: 'subprocess',
    config: {},
    runtimeConfig: { platformCommand: [{ command: NODE, args }] },
  };
  await writeFile(join(folder, 'plugin.yaml'), JSON.stringify(plugin), { mode: 0o644 });
  return {
    mounts: [
      { from: runtime.command, to: NODE },
      { from: join(dir, 'plugins'), to: PLUGINS },
      { from: INSIDE, to: '/weir/post-render.ts' },
      { from: socketPath, to: '/in/post.sock' },
    ],
    env: { HELM_PLUGINS: PLUGINS, HELM_NO_PLUGINS: '0' },
  };
}
