import { isObject, type Json } from '#core/json.ts';

/** A parsed path of kubectl's small dialect: names, indexes, `[*]` and `[?(@.key=="value")]`. */
type Step =
  | Readonly<{ is: 'name'; name: string }>
  | Readonly<{ is: 'index'; index: number }>
  | Readonly<{ is: 'all' }>
  | Readonly<{ is: 'where'; path: readonly string[]; equals: string }>;

const NAME = /^\.((?:[^.[\]{}\\]|\\.)+)/;
const INDEX = /^\[(-?[0-9]{1,6})\]/;
const QUOTED = /^\['([^']{1,253})'\]/;
const FILTER = /^\[\?\(@((?:\.[A-Za-z0-9_-]+)+)\s*==\s*["']([^"']*)["']\)\]/;

/** Values that a path such as `.status.conditions[?(@.type=="Ready")].status` finds. Throws on a path that is not of the dialect: ours are constants. */
export function findAll(value: Json, path: string): readonly Json[] {
  let found: readonly Json[] = [value];
  for (const step of parsePath(path)) found = found.flatMap((one) => follow(one, step));
  return found;
}

/** The text of a template such as `{.kind}/{.name}`, or null when nothing was found. */
export function fillTemplate(value: Json, template: string): string | null {
  let isFound = false;
  const text = template.replaceAll(/\{([^{}]+)\}/g, (_all, path: string) => {
    const [first] = findAll(value, path);
    if (first === undefined || first === null) return '';
    isFound = true;
    return scalarText(first);
  });
  return isFound ? text : null;
}

export function scalarText(value: Json): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function parsePath(path: string): readonly Step[] {
  const steps: Step[] = [];
  let rest = path;
  while (rest !== '') {
    const [step, length] = nextStep(rest, path);
    steps.push(step);
    rest = rest.slice(length);
  }
  return steps;
}

function nextStep(rest: string, whole: string): readonly [Step, number] {
  if (rest.startsWith('[*]')) return [{ is: 'all' }, 3];
  const name = NAME.exec(rest) ?? QUOTED.exec(rest);
  if (name !== null) return [{ is: 'name', name: (name[1] ?? '').replaceAll(/\\(.)/g, '$1') }, name[0].length];
  const index = INDEX.exec(rest);
  if (index !== null) return [{ is: 'index', index: Number(index[1]) }, index[0].length];
  const filter = FILTER.exec(rest);
  if (filter !== null) return [{ is: 'where', path: (filter[1] ?? '').slice(1).split('.'), equals: filter[2] ?? '' }, filter[0].length];
  throw new Error(`not a path: ${whole}`);
}

function follow(value: Json, step: Step): readonly Json[] {
  switch (step.is) {
    case 'name': {
      const inner = isObject(value) && Object.hasOwn(value, step.name) ? value[step.name] : undefined;
      return inner === undefined ? [] : [inner];
    }
    case 'index': {
      const item: Json | undefined = Array.isArray(value) ? value.at(step.index) : undefined;
      return item === undefined ? [] : [item];
    }
    case 'all':
      return Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
    case 'where':
      return Array.isArray(value) ? value.filter((item: Json) => scalarAt(item, step.path) === step.equals) : [];
  }
}

function scalarAt(value: Json, path: readonly string[]): string | null {
  let current: Json | undefined = value;
  for (const name of path) current = isObject(current) ? current[name] : undefined;
  return current === undefined || typeof current === 'object' ? null : String(current);
}
