/**
 * Paths of keys that stand twice in one object of a JSON text, such as `spec.interval`. JSON.parse keeps the last one in silence; `fieldValidation`
 * asks to be told. The text has been parsed before, so it is well-formed; limits come from its size. Pure.
 */
export function duplicateKeys(text: string): readonly string[] {
  const found: string[] = [];
  const stack: Frame[] = [];
  let position = 0;
  while (position < text.length) {
    const character = text[position];
    if (character === '"') {
      const end = stringEnd(text, position);
      const top = stack.at(-1);
      if (top?.is === 'object' && top.expectsKey) noteKey(top, text.slice(position, end), found);
      position = end;
      continue;
    }
    step(character, stack);
    position += 1;
  }
  return found;
}

type Frame =
  | { readonly is: 'object'; readonly path: string; readonly keys: Set<string>; expectsKey: boolean; key: string }
  | { readonly is: 'array'; readonly path: string; index: number };

function step(character: string | undefined, stack: Frame[]): void {
  if (character === '{') stack.push({ is: 'object', path: childPath(stack), keys: new Set(), expectsKey: true, key: '' });
  else if (character === '[') stack.push({ is: 'array', path: childPath(stack), index: 0 });
  else if (character === '}' || character === ']') stack.pop();
  else if (character === ',') {
    const top = stack.at(-1);
    if (top?.is === 'object') top.expectsKey = true;
    else if (top?.is === 'array') top.index += 1;
  }
}

function noteKey(frame: Extract<Frame, { is: 'object' }>, quoted: string, found: string[]): void {
  const key: unknown = JSON.parse(quoted);
  frame.expectsKey = false;
  frame.key = String(key);
  if (frame.keys.has(frame.key)) found.push(frame.path === '' ? frame.key : `${frame.path}.${frame.key}`);
  frame.keys.add(frame.key);
}

function childPath(stack: readonly Frame[]): string {
  const top = stack.at(-1);
  if (top === undefined) return '';
  if (top.is === 'array') return `${top.path}[${top.index}]`;
  return top.path === '' ? top.key : `${top.path}.${top.key}`;
}

function stringEnd(text: string, start: number): number {
  let position = start + 1;
  while (position < text.length && text[position] !== '"') position += text[position] === '\\' ? 2 : 1;
  return position + 1;
}
