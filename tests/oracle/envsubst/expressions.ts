export const variables: Readonly<Record<string, string>> = {
  v: 'hello',
  u: 'äöü',
  e: '',
  p: 'a/b/c.tar.gz',
  n: '1',
  g: 'a*b?[c]\\d',
  S: 'ǆΣßİᾳ',
  x2: '$v ${v}',
};

const names = ['v', 'u', 'e', 'm', 'p', 'n', 'g', 'S', 'x2', '1', 'é', '_', 'v v', ''];
const words = [
  '',
  'a',
  '*',
  '?',
  '[a-c]',
  '.gz',
  'l',
  'll',
  '/',
  '\\/',
  '\\\\',
  '$',
  '$$',
  'ä',
  '[^a]',
  '*.',
  'h*',
  '1',
  '-1',
  '2',
  '99',
  ' 1',
  'def',
  '}',
  '{',
  ':',
  '%',
  '#',
  '[',
  '[a',
  '\\',
  'é*',
  'ö',
  '-',
];
const operators = [
  '',
  '#',
  '##',
  '%',
  '%%',
  '/',
  '//',
  '/#',
  '/%',
  ':',
  '::',
  ':-',
  ':=',
  ':+',
  ':?',
  '=',
  '-',
  '+',
  '?',
  ',',
  ',,',
  '^',
  '^^',
  ',^',
  ',,,',
];
const around = ['', 't ', '$', '$$', '$$$', '{', '}', '$v '];

/** Texts with one to three expressions, right and wrong ones, nested up to four deep. */
export function expressions(count: number, random: () => number): readonly string[] {
  const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)] ?? '';
  const argument = (depth: number): string =>
    depth < 3 && random() < 0.2 ? expression(depth + 1) : pick(words) + (random() < 0.3 ? pick(words) : '');
  function expression(depth: number): string {
    if (random() < 0.1) return `\${#${pick(names)}}`;
    const operator = pick(operators);
    const end = random() < 0.97 ? '}' : '';
    return `\${${pick(names)}${operator}${argumentsOf(operator, depth)}${end}`;
  }
  function argumentsOf(operator: string, depth: number): string {
    if (operator.includes('/')) return argument(depth) + (random() < 0.9 ? '/' : '') + (random() < 0.8 ? argument(depth) : '');
    if (operator === ':') return argument(depth) + (random() < 0.5 ? `:${argument(depth)}` : '');
    return operator === '' || /[,^]/.test(operator) ? '' : argument(depth);
  }
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(around) + expression(0)).join(''),
  );
}
