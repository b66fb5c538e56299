import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';

/** A program that needs more than its path: unpacked packages bring their own libraries. */
const PreparedCommand = Type.Object({
  command: Type.Array(Type.String({ maxLength: 4_096 }), { minItems: 1, maxItems: 16 }),
  env: Type.Record(Type.String({ maxLength: 100 }), Type.String({ maxLength: 8_192 })),
});

const ToolReport = Type.Partial(
  Type.Object({
    etcd: Type.String(),
    'kube-apiserver': Type.String(),
    'kube-controller-manager': Type.String(),
    'kube-scheduler': Type.String(),
    kwok: Type.String(),
    kubectl: Type.String(),
    kustomize: Type.String(),
    helm: Type.String(),
    'weir-inside': Type.String(),
    versitygw: Type.String(),
    redis: Type.Union([PreparedCommand, Type.Null()]),
    bwrap: Type.Union([PreparedCommand, Type.Null()]),
    registry: Type.Union([PreparedCommand, Type.Null()]),
  }),
);

export type PreparedCommand = Readonly<{ command: readonly string[]; env: Readonly<Record<string, string>> }>;

/** Where the real programs are. `null`: this machine cannot have it. */
export type ToolPaths = Readonly<{
  etcd: string;
  kubeApiserver: string;
  kubeControllerManager: string;
  kubeScheduler: string;
  kwok: string;
  kubectl: string;
  kustomize: string;
  helm: string;
  helmInside: string;
  s3: string;
  redis: PreparedCommand | null;
  bwrap: PreparedCommand | null;
  registry: PreparedCommand | null;
}>;

export type ToolName = keyof ToolPaths;

const reportNames = {
  etcd: 'etcd',
  kubeApiserver: 'kube-apiserver',
  kubeControllerManager: 'kube-controller-manager',
  kubeScheduler: 'kube-scheduler',
  kwok: 'kwok',
  kubectl: 'kubectl',
  kustomize: 'kustomize',
  helm: 'helm',
  helmInside: 'weir-inside',
  s3: 'versitygw',
  redis: 'redis',
  bwrap: 'bwrap',
  registry: 'registry',
} as const satisfies Record<ToolName, string>;

const allTools: readonly ToolName[] = [
  'etcd',
  'kubeApiserver',
  'kubeControllerManager',
  'kubeScheduler',
  'kwok',
  'kubectl',
  'kustomize',
  'helm',
  'helmInside',
  's3',
  'redis',
  'bwrap',
  'registry',
];
const maxReportBytes = 65_536;
/** A first run on two cores builds for a quarter of an hour. */
const setUpTimeoutMs = 60 * 60_000;

/**
 * Finds the named programs, building or fetching what is missing (minutes, the first time; progress goes to stderr).
 * Throws when the set-up step fails, or does not tell the path of one that was asked for.
 */
export async function loadToolPaths<Name extends ToolName>(options: Readonly<{ only: readonly Name[] }>): Promise<Pick<ToolPaths, Name>>;
export async function loadToolPaths(): Promise<ToolPaths>;
export async function loadToolPaths(options?: Readonly<{ only: readonly ToolName[] }>): Promise<Partial<ToolPaths>> {
  const wanted = options?.only ?? allTools;
  const only = options === undefined ? [] : ['--only', wanted.map((name) => reportNames[name]).join(',')];
  const output = await runSetUp(['--json', ...only]);
  const lastLine = output.trimEnd().split('\n').at(-1) ?? '';
  return pickTools(Value.Parse(ToolReport, JSON.parse(lastLine)), wanted);
}

function pickTools(report: Static<typeof ToolReport>, wanted: readonly ToolName[]): Partial<ToolPaths> {
  const missing = wanted.filter((name) => report[reportNames[name]] === undefined);
  if (missing.length > 0) throw new Error(`the set-up step did not say where these are: ${missing.join(', ')}`);
  return Object.fromEntries(wanted.map((name) => [name, report[reportNames[name]]]));
}

async function runSetUp(args: readonly string[]): Promise<string> {
  const script = fileURLToPath(new URL('../../tools/setup.ts', import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'], timeout: setUpTimeoutMs });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  let output = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    // Only the end counts: the report is the last line.
    output = (output + text).slice(-maxReportBytes);
  });
  const code = await ended;
  if (code !== 0)
    throw new Error(`the set-up step failed (exit code ${code}); its own messages stand above. Run \`npm run setup\` to try again`);
  return output;
}
