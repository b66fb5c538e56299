import { isObject, type Json, stringifyJson } from '#core/json.ts';
import { unanswered } from '#services/cli/failure.ts';

type Step =
  | Readonly<{ is: 'key'; name: string }>
  | Readonly<{ is: 'index'; index: number }>
  | Readonly<{ is: 'all' }>
  | Readonly<{ is: 'filter'; path: readonly Step[]; equals: boolean; value: string }>;

const MAX_LENGTH = 4_096;

/**
 * kubectl's small dialect: `{.items[*].metadata.name}`, `{range …}{end}` left out; text outside braces is printed as it is; `\n` and `\t`
 * within quotes. Steps: `.key`, `['key']`, `[0]`, `[-1]`, `[*]`, `[?(@.type=="Ready")]`. Throws CliFailure (exit 2) for anything else. Pure.
 */
export function evaluateJsonPath(template: string, value: Json): string {
  if (template.length > MAX_LENGTH) throw bad('it is too long');
  const text = template.includes('{') ? template : `{${template}}`;
  let out = '';
  let rest = text;
  while (rest !== '') {
    const open = rest.indexOf('{');
    if (open === -1) return out + rest;
    out += rest.slice(0, open);
    const close = closingBrace(rest, open);
    out += expression(rest.slice(open + 1, close).trim(), value);
    rest = rest.slice(close + 1);
  }
  return out;
}

function expression(text: string, value: Json): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$|^'((?:[^'\\]|\\.)*)'$/.exec(text);
  if (quoted !== null) return (quoted[1] ?? quoted[2] ?? '').replaceAll('\\n', '\n').replaceAll('\\t', '\t').replaceAll(/\\(.)/g, '$1');
  if (text.startsWith('range') || text === 'end') throw bad('range is not known here: use -o json');
  return walk([value], parseSteps(text)).map(show).join(' ');
}

function closingBrace(text: string, from: number): number {
  let quote = '';
  for (let at = from + 1; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '}') return at;
  }
  throw bad('a { has no }');
}

const KEY = /^\.?([A-Za-z_][-\w]*)/;
const DOT_QUOTED = /^\[\s*(?:'([^']*)'|"([^"]*)")\s*\]/;
const INDEX = /^\[(-?\d{1,9})\]/;
const ALL = /^(?:\[\*\]|\.\*)/;
const FILTER = /^\[\?\(@([^=!]*?)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|([\w.-]+))\s*\)\]/;

function parseSteps(text: string): readonly Step[] {
  const steps: Step[] = [];
  let rest = text.startsWith('$') || text.startsWith('@') ? text.slice(1) : text;
  while (rest !== '' && rest !== '.') {
    const [step, length] = nextStep(rest);
    steps.push(step);
    rest = rest.slice(length);
  }
  return steps;
}

function nextStep(rest: string): readonly [Step, number] {
  const all = ALL.exec(rest);
  if (all !== null) return [{ is: 'all' }, all[0].length];
  const index = INDEX.exec(rest);
  if (index !== null) return [{ is: 'index', index: Number(index[1]) }, index[0].length];
  const quoted = DOT_QUOTED.exec(rest);
  if (quoted !== null) return [{ is: 'key', name: quoted[1] ?? quoted[2] ?? '' }, quoted[0].length];
  const filter = FILTER.exec(rest);
  if (filter !== null)
    return [
      { is: 'filter', path: parseSteps(filter[1] ?? ''), equals: filter[2] === '==', value: filter[3] ?? filter[4] ?? filter[5] ?? '' },
      filter[0].length,
    ];
  const escaped = /^\.((?:[A-Za-z_][-\w/]*\\\.)+[-\w/]+)/.exec(rest);
  if (escaped !== null) return [{ is: 'key', name: (escaped[1] ?? '').replaceAll('\\.', '.') }, escaped[0].length];
  const key = KEY.exec(rest);
  if (key !== null) return [{ is: 'key', name: key[1] ?? '' }, key[0].length];
  throw bad(`${JSON.stringify(rest.slice(0, 40))} is no step of a path`);
}

function walk(values: readonly Json[], steps: readonly Step[]): readonly Json[] {
  return steps.reduce<readonly Json[]>((found, step) => found.flatMap((value) => take(value, step)), values);
}

function take(value: Json, step: Step): readonly Json[] {
  switch (step.is) {
    case 'key': {
      const found = isObject(value) && Object.hasOwn(value, step.name) ? value[step.name] : undefined;
      return found === undefined ? [] : [found];
    }
    case 'index': {
      const found = Array.isArray(value) ? value.at(step.index) : undefined;
      return found === undefined ? [] : [found];
    }
    case 'all':
      return Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
    case 'filter':
      return Array.isArray(value)
        ? value.filter((one) => walk([one], step.path).some((found) => show(found) === step.value) === step.equals)
        : [];
  }
}

function show(value: Json): string {
  return typeof value === 'string' ? value : stringifyJson(value);
}

function bad(why: string): ReturnType<typeof unanswered> {
  return unanswered(`-o jsonpath: ${why}`);
}
