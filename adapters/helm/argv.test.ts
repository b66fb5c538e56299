import { expect, test } from 'vitest';
import type { HelmAction } from '#core/helm.ts';
import { applyArgs, helmArgs, templateArgs } from './argv.ts';

const wait = { timeoutMs: 90_500, disableHooks: false, disableWait: false, disableWaitForJobs: false, waitStrategy: 'poller' } as const;
const apply = { ...wait, disableOpenAPIValidation: true, disableSchemaValidation: true, disableTakeOwnership: false, skipCrds: true };
const actions: readonly HelmAction[] = [
  { ...apply, do: 'install', replace: true, createNamespace: true, serverSideApply: true },
  { ...apply, do: 'upgrade', preserveValues: true, force: true, cleanupOnFail: true, serverSide: 'disabled', maxHistory: 0 },
  { ...wait, do: 'rollback', to: 3, force: false, cleanupOnFail: true, serverSide: 'enabled', maxHistory: 5 },
  { do: 'uninstall', timeoutMs: 1, disableHooks: true, disableWait: true, keepHistory: true, cascade: 'foreground' },
  {
    do: 'test',
    timeoutMs: 1_000,
    filters: [
      { name: 'smoke', exclude: false },
      { name: 'slow', exclude: true },
    ],
  },
];
const release = { name: 'app', namespace: 'apps' };

test('no action ever has a switch that reads values from arguments, reaches out, or starts a program', () => {
  const template = templateArgs(release, { kubeVersion: null, apiVersions: ['a/v1'], isUpgrade: true, disableSchemaValidation: false });
  for (const args of [template, ...actions.map((action) => helmArgs(release, action))])
    expect(args.join(' ')).not.toMatch(
      /--(set|post-renderer|repo|enable-dns|dependency-update|kube-|devel|registry|plain-http|insecure|username|password)(\b|=)(?!version)/,
    );
});

test('options of the definition reach helm', () => {
  const [install = [], upgrade = [], rollback = [], uninstall = [], tests = []] = actions.map((action) =>
    helmArgs(release, action).join(' '),
  );
  expect(install).toContain('--timeout 91s --wait=watcher --wait-for-jobs');
  expect(install).toMatch(/--server-side=true --force-conflicts --replace --create-namespace$/);
  expect(upgrade).toMatch(/--history-max 0 --reuse-values --server-side=false --force-replace --cleanup-on-fail$/);
  expect(rollback).toMatch(/^rollback app 3 .*--server-side=true --force-conflicts --cleanup-on-fail$/);
  expect(uninstall).toMatch(/--cascade foreground --wait=hookOnly --no-hooks --keep-history$/);
  expect(tests).toMatch(/--filter name=smoke --filter !name=slow$/);
});

test('an applying action has our post-renderer by its fixed name, and labels of the record', () => {
  expect(applyArgs({ 'weir.dev/delivery': 'd' }).join(' ')).toBe('--post-renderer weir --labels weir.dev/delivery=d');
});

test.each(['-x', '--set', 'a b', 'A', '../a', 'a'.repeat(54), ''])('%j is no release name', (name) => {
  for (const action of actions) expect(() => helmArgs({ name, namespace: 'apps' }, action)).toThrow('release name');
});

test('a test filter cannot carry a second attribute', () => {
  expect(() => helmArgs(release, { do: 'test', timeoutMs: 1, filters: [{ name: 'a,name=b', exclude: false }] })).toThrow('test filter');
});
