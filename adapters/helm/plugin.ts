import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { POST_RENDERER } from './argv.ts';
import type { Mount } from './sandbox.ts';

const PLUGINS = '/plugins';

/** The plugin folder of one run, with our post-renderer alone in it (`program`: where `weir-inside` is in there), as helm 4 wants it (helm.sh/docs, plugin API version v1, type postrenderer/v1). */
export async function writePlugin(
  dir: string,
  socketPath: string,
  program: string,
): Promise<Readonly<{ mounts: readonly Mount[]; env: Readonly<Record<string, string>> }>> {
  const folder = join(dir, 'plugins', POST_RENDERER);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const plugin = {
    apiVersion: 'v1',
    type: 'postrenderer/v1',
    name: POST_RENDERER,
    version: '1.0.0',
    runtime: 'subprocess',
    config: {},
    runtimeConfig: { platformCommand: [{ command: program, args: ['post-render', '/in/post.sock'] }] },
  };
  await writeFile(join(folder, 'plugin.yaml'), JSON.stringify(plugin), { mode: 0o644 });
  return {
    mounts: [
      { from: join(dir, 'plugins'), to: PLUGINS },
      { from: socketPath, to: '/in/post.sock' },
    ],
    env: { HELM_PLUGINS: PLUGINS, HELM_NO_PLUGINS: '0' },
  };
}
