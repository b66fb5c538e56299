import { AppError } from '#core/errors.ts';
import type { ApplyOptions, HelmAction, ReleaseName, ServerSide, WaitOptions } from '#core/helm.ts';

/** Name of the one plugin that a release step sees; no field of a definition names another (threats B14). */
export const POST_RENDERER = 'weir';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const SERVER_SIDE = { enabled: 'true', disabled: 'false', auto: 'auto' } as const;

/**
 * Helm's arguments for one action. Chart and values are always the files that we mount; no field of a definition names a file, a program or an address, and
 * `--set`, `--repo`, `--enable-dns` and `--dependency-update` are never there (threats B4, B8, B9, B14). Throws AppError invalid for a
 * name that is none. Pure.
 */
export function helmArgs(release: ReleaseName, action: HelmAction): readonly string[] {
  checkName(release);
  const place = ['--namespace', release.namespace, '--kubeconfig', '/in/kubeconfig'];
  const timeout = ['--timeout', `${Math.max(1, Math.ceil(action.timeoutMs / 1000))}s`];
  const name = release.name;
  switch (action.do) {
    case 'install':
      return [
        ...['install', name, '/in/chart.tgz', ...place, '--values', '/in/values.json', ...timeout, ...waiting(action), ...applying(action)],
        ...['--output', 'json', `--server-side=${action.serverSideApply}`],
        ...flag(action.serverSideApply, '--force-conflicts'),
        ...flag(action.replace, '--replace'),
        ...flag(action.createNamespace, '--create-namespace'),
      ];
    case 'upgrade':
      return [
        ...['upgrade', name, '/in/chart.tgz', ...place, '--values', '/in/values.json', ...timeout, ...waiting(action), ...applying(action)],
        ...['--output', 'json', '--history-max', String(action.maxHistory), action.preserveValues ? '--reuse-values' : '--reset-values'],
        ...changing(action),
      ];
    case 'rollback':
      return [
        ...['rollback', name, String(action.to), ...place, ...timeout, ...waiting(action), '--history-max', String(action.maxHistory)],
        ...changing(action),
      ];
    case 'uninstall':
      return [
        ...['uninstall', name, ...place, ...timeout, '--ignore-not-found', '--cascade', action.cascade],
        action.disableWait ? '--wait=hookOnly' : '--wait=watcher',
        ...flag(action.disableHooks, '--no-hooks'),
        ...flag(action.keepHistory, '--keep-history'),
      ];
    case 'test':
      return ['test', name, ...place, ...timeout, ...action.filters.flatMap(testFilter)];
  }
}

/** What an action that applies a chart has besides: our post-renderer, by its fixed name, and labels of the record. Pure. */
export function applyArgs(labels: Readonly<Record<string, string>>): readonly string[] {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return ['--post-renderer', POST_RENDERER, ...(pairs.length === 0 ? [] : ['--labels', pairs.join(',')])];
}

/** Arguments of the render step, which has no network and no kubeconfig; hooks, tests and `crds/` are in the list, so that policy sees all of it (B13). */
export function templateArgs(
  release: ReleaseName,
  options: Readonly<{ kubeVersion: string | null; apiVersions: readonly string[]; isUpgrade: boolean; disableSchemaValidation: boolean }>,
): readonly string[] {
  checkName(release);
  return [
    ...['template', release.name, '/in/chart.tgz', '--namespace', release.namespace, '--values', '/in/values.json', '--include-crds'],
    ...(options.kubeVersion === null ? [] : ['--kube-version', options.kubeVersion]),
    ...options.apiVersions.flatMap((one) => ['--api-versions', one]),
    ...flag(options.isUpgrade, '--is-upgrade'),
    ...flag(options.disableSchemaValidation, '--skip-schema-validation'),
  ];
}

function checkName({ name, namespace }: ReleaseName): void {
  if (name.length > 53 || !DNS_NAME.test(name))
    throw new AppError('invalid', 'a release name has at most 53 letters a to z, digits, `-` and `.`');
  if (namespace.length > 63 || !DNS_LABEL.test(namespace)) throw new AppError('invalid', 'the namespace of a release is no namespace name');
}

function waiting(options: WaitOptions): readonly string[] {
  const strategy = options.waitStrategy === 'legacy' ? '--wait=legacy' : '--wait=watcher';
  return [
    options.disableWait ? '--wait=hookOnly' : strategy,
    ...flag(!options.disableWait && !options.disableWaitForJobs, '--wait-for-jobs'),
    ...flag(options.disableHooks, '--no-hooks'),
  ];
}

function applying(options: ApplyOptions): readonly string[] {
  return [
    ...flag(options.disableOpenAPIValidation, '--disable-openapi-validation'),
    ...flag(options.disableSchemaValidation, '--skip-schema-validation'),
    ...flag(!options.disableTakeOwnership, '--take-ownership'),
    ...flag(options.skipCrds, '--skip-crds'),
    ...flag(options.dryRun === true, '--dry-run=server'),
  ];
}

/** Server-side apply always takes over conflicting fields, as Flux does; forcing by replacement is client-side only. */
function changing(options: Readonly<{ serverSide: ServerSide; force: boolean; cleanupOnFail: boolean }>): readonly string[] {
  return [
    `--server-side=${SERVER_SIDE[options.serverSide]}`,
    ...flag(options.serverSide === 'enabled', '--force-conflicts'),
    ...flag(options.force, '--force-replace'),
    ...flag(options.cleanupOnFail, '--cleanup-on-fail'),
  ];
}

function testFilter({ name, exclude }: Readonly<{ name: string; exclude: boolean }>): readonly string[] {
  if (name.length > 253 || !DNS_NAME.test(name)) throw new AppError('invalid', 'a test filter names a test by its object name');
  return ['--filter', `${exclude ? '!' : ''}name=${name}`];
}

function flag(on: boolean, name: string): readonly string[] {
  return on ? [name] : [];
}
