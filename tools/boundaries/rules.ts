import type { IRegularForbiddenRuleType } from 'dependency-cruiser';

type Rule = IRegularForbiddenRuleType;
type From = Rule['from'];
type To = Rule['to'];

const test = '\\.test\\.ts$';
const product = '^(core|kinds|adapters|services|workers)/';
/** Node's own modules that reach outside the process; the pure ones (crypto, buffer, stream, util, path, url, …) may be used anywhere. */
const outside: readonly string[] = [
  '^(node:)?(fs|net|http|https|http2|tls|dgram|dns)$',
  '^(node:)?(fs|dns)/promises$',
  '^(node:)?(child_process|worker_threads|cluster|os|process|repl|vm|inspector)$',
];

function rule(name: string, comment: string, from: From, to: To): Rule {
  return { name, comment, severity: 'error', from, to };
}

/** Code of `folder` itself, without the unit tests beside it. */
function of(folder: string): From {
  return { path: folder, pathNot: test };
}

/** Who may import whom, types included: the layout table of the conventions as rules. Each has a planted violation in planted.ts. */
export const forbidden: readonly Rule[] = [
  rule('core-alone', 'core holds the rules and imports no other folder', of('^core/'), {
    path: '^(kinds|adapters|services|workers|deploy|tests|tools|bin)/',
  }),
  rule('core-typebox-only', 'TypeBox is the only package of core', of('^core/'), {
    dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
    pathNot: 'node_modules/typebox/',
  }),
  rule('core-kinds-inside', 'core and kinds reach the outside through core/ports.ts only', of('^(core|kinds)/'), { path: [...outside] }),
  rule('kinds-core-only', 'a kind imports core and nothing else of ours', of('^kinds/'), {
    path: '^(adapters|services|workers|deploy|tests|tools|bin)/',
  }),
  rule('kinds-typebox-only', 'TypeBox is the only package of a kind', of('^kinds/'), {
    dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
    pathNot: 'node_modules/typebox/',
  }),
  rule(
    'kinds-apart',
    'kinds do not know one another',
    { path: '^kinds/([^/]+)/', pathNot: test },
    { path: '^kinds/[^/]+', pathNot: '^kinds/$1/' },
  ),
  rule('registry-faces', 'the registry sees the face of a kind only', of('^kinds/registry\\.ts$'), {
    path: '^kinds/',
    pathNot: '^kinds/[^/]+/(index|resource)\\.ts$',
  }),
  rule('schema-in-browser', 'a schema runs in a browser', of('^kinds/[^/]+/schema\\.ts$'), { dependencyTypes: ['core'] }),
  rule('adapters-core-only', 'an adapter implements a port of core', of('^adapters/'), {
    path: '^(kinds|services|workers|deploy|tests|tools|bin)/',
  }),
  rule(
    'adapters-apart',
    'adapters do not know one another; what they share is a port',
    { path: '^adapters/([^/]+)/', pathNot: test },
    {
      path: '^adapters/[^/]+',
      pathNot: '^adapters/$1/',
    },
  ),
  rule(
    'services-apart',
    'a service does not import another',
    { path: '^services/([^/]+)/', pathNot: test },
    { path: '^services/[^/]+', pathNot: '^services/$1/' },
  ),
  rule('services-not-workers', 'services and workers meet in PostgreSQL and the queue only', of('^services/'), {
    path: '^(workers|deploy|tests|tools|bin)/',
  }),
  rule('scheduler-stores-only', 'the scheduler uses the stores, a log and its process, and nothing else', of('^services/scheduler/'), {
    path: '^(adapters|kinds)/',
    pathNot: '^(adapters/(postgres|redis|log|process)/|kinds/registry\\.ts$)',
  }),
  rule('clients-over-http', 'the command line and the console talk HTTP only', of('^services/(cli|console)/'), { path: '^adapters/' }),
  rule(
    'platform-db-scheduler',
    'only the scheduler works across tenants',
    { path: product, pathNot: [test, '^services/scheduler/', '^adapters/postgres/'] },
    {
      path: '^adapters/postgres/platform-db\\.ts$',
    },
  ),
  rule(
    'workers-apart',
    'a worker does not import another',
    { path: '^workers/([^/]+)/', pathNot: test },
    {
      path: '^workers/[^/]+/',
      pathNot: '^workers/$1/',
    },
  ),
  rule('workers-not-services', 'workers and services meet in PostgreSQL and the queue only', of('^workers/'), {
    path: '^(services|deploy|tests|tools|bin)/',
  }),
  rule('tools-apart', 'tools/ is never imported by product code', { path: `${product}|^deploy/`, pathNot: test }, { path: '^tools/' }),
  rule(
    'tests-apart',
    'tests/ is never imported by product code',
    { path: `${product}|^deploy/`, pathNot: test },
    { path: '^tests/|\\.test\\.ts$' },
  ),
  rule('resolvable', 'an import that nothing answers', {}, { couldNotResolve: true }),
];

/** The same for what is loaded when the program runs. dependency-cruiser with swc does not tell `import type` apart, so these are checked on sources without them. */
export const forbiddenAtRunTime: readonly Rule[] = [
  rule(
    'client-node-types-only',
    'only the command line loads the code of @kubernetes/client-node',
    { path: product, pathNot: '^services/cli/' },
    {
      path: 'node_modules/@kubernetes/client-node/',
    },
  ),
  rule(
    'no-dev-packages',
    'what runs in production is a dependency, not a development dependency',
    { path: product, pathNot: [test, '/testing/'] },
    {
      dependencyTypes: ['npm-dev'],
    },
  ),
  rule(
    'no-cycles',
    'a cycle of imports has no order',
    { path: '^(core|kinds|adapters|services|workers|deploy|tools|tests)/' },
    { circular: true },
  ),
];
