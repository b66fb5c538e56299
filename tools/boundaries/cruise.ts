import { cruise, type ICruiseOptions, type ICruiseResult, type IRegularForbiddenRuleType } from 'dependency-cruiser';

export type Violation = Readonly<{ rule: string; from: string; to: string }>;
export type Cruised = Readonly<{ files: readonly string[]; violations: readonly Violation[] }>;

/**
 * Looks at all .ts files of `folders` below `root` and returns which were really read and which imports break a rule.
 * `files` must be compared by the caller: without a working parser dependency-cruiser reads nothing and is content.
 */
export async function cruiseTree(
  root: string,
  folders: readonly string[],
  forbidden: readonly IRegularForbiddenRuleType[],
): Promise<Cruised> {
  const options: ICruiseOptions = {
    baseDir: root,
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(fixtures|corpus|\\.weir)/' },
    validate: true,
    ruleSet: { forbidden: [...forbidden] },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json', '.d.ts'],
      conditionNames: ['import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
    outputType: 'json',
  };
  const { output } = await cruise([...folders], options);
  const result: ICruiseResult = typeof output === 'string' ? JSON.parse(output) : output;
  const files = result.modules
    .map((one) => one.source.replace(/\.mts\.ts$/, '.mts'))
    .filter((path) => /^[^/]+\//.test(path) && /\.m?ts$/.test(path) && !path.includes('node_modules/'));
  const violations = result.summary.violations.map((one) => ({ rule: one.rule.name, from: one.from, to: one.to }));
  return { files, violations };
}
