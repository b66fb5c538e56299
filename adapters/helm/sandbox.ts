/** What is needed of `adapters/sandbox` (adapters do not know each other: the composition root passes it in). */
export type Mount = Readonly<{ from: string; to: string }>;
export type HelmSandbox = Readonly<{
  mode: string;
  run(
    input: Readonly<{
      command: string;
      args: readonly string[];
      cwd: string;
      readOnly: readonly Mount[];
      env: Readonly<Record<string, string>>;
      children?: boolean;
      limits: Readonly<{
        timeoutMs: number;
        maxOutputBytes: number;
        maxMemoryBytes: number;
        maxCpuSeconds: number;
        maxProcesses: number;
        maxFileBytes: number;
      }>;
    }>,
    signal: AbortSignal,
  ): Promise<Readonly<{ exitCode: number; stoppedBy: 'timeout' | 'output' | null; stdout: Buffer; stderr: string }>>;
}>;

/**
 * Helm's whole environment. Every home is an empty place that only this run has, so that no plugin, repository or registry login of anybody is found
 * (threats B14); DNS in templates stays off because its switch is never given (B9).
 */
export const HELM_ENVIRONMENT: Readonly<Record<string, string>> = Object.freeze({
  PATH: '/nonexistent',
  HOME: '/tmp',
  TMPDIR: '/tmp',
  XDG_CONFIG_HOME: '/nonexistent',
  XDG_CACHE_HOME: '/tmp/cache',
  XDG_DATA_HOME: '/nonexistent',
  HELM_CONFIG_HOME: '/nonexistent',
  HELM_CACHE_HOME: '/tmp/cache',
  HELM_DATA_HOME: '/nonexistent',
  HELM_PLUGINS: '/nonexistent',
  HELM_NO_PLUGINS: '1',
  HELM_REGISTRY_CONFIG: '/nonexistent/registry.json',
  HELM_REPOSITORY_CONFIG: '/nonexistent/repositories.yaml',
  HELM_REPOSITORY_CACHE: '/tmp/cache/repository',
  HELM_CONTENT_CACHE: '/tmp/cache/content',
  HELM_DRIVER: 'secret',
  GOMEMLIMIT: '768MiB',
  GOGC: '400',
  GOMAXPROCS: '2',
});
