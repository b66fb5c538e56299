/** What a container of this image may be. Each part reads its configuration from the environment and runs until a signal. */
const parts: Readonly<Record<string, () => Promise<unknown>>> = {
  all: () => import('./all.ts'),
  migrate: () => import('./migrate.ts'),
  api: () => import('#services/api/main.ts'),
  scheduler: () => import('#services/scheduler/main.ts'),
  'worker-source': () => import('#workers/source/main.ts'),
  'worker-kustomize': () => import('#workers/kustomize/main.ts'),
  'worker-helm': () => import('#workers/helm/main.ts'),
  'worker-image': () => import('#workers/image/main.ts'),
  'worker-notification': () => import('#workers/notification/main.ts'),
  'worker-fleet': () => import('#workers/fleet/main.ts'),
};

const [name = 'all', ...rest] = process.argv.slice(2);
const start = Object.hasOwn(parts, name) ? parts[name] : undefined;
if (start === undefined || rest.length > 0) {
  process.stderr.write(`usage: entrypoint <part>, where <part> is one of ${Object.keys(parts).join(', ')}\n`);
  process.exitCode = 2;
} else {
  await start();
}
