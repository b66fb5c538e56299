/** A template that cannot be read, or a run of one that failed; the message names the place and what to write. */
export class TemplateError extends Error {
  override name = 'TemplateError';
}

export type Token =
  | Readonly<{ is: 'field'; names: readonly string[] }>
  /** `$`, `$x` or `$x.Field`; `name` without the dollar sign. */
  | Readonly<{ is: 'variable'; name: string; names: readonly string[] }>
  | Readonly<{ is: 'word'; text: string }>
  | Readonly<{ is: 'literal'; value: string | number | boolean }>
  | Readonly<{ is: 'mark'; text: '(' | ')' | '|' | ':=' | '=' | ',' }>;

const FIELD = /^(?:\.[A-Za-z_][A-Za-z0-9_]*)+/;
const VARIABLE = /^\$([A-Za-z_][A-Za-z0-9_]*)?((?:\.[A-Za-z_][A-Za-z0-9_]*)*)/;
const WORD = /^[A-Za-z_][A-Za-z0-9_]*/;
const NUMBER = /^[+-]?[0-9]{1,15}(?![0-9A-Za-z_.])/;
const QUOTED = /^"(?:[^"\\\n]|\\["\\nrt])*"/;
const RAW = /^`[^`]*`/;
const MARK = /^(?::=|[()|=,])/;
const ESCAPES: Readonly<Record<string, string>> = Object.freeze({ n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' });

/** The tokens inside one `{{ … }}`. Throws TemplateError for what the subset does not know. Pure. */
export function tokensOf(action: string): readonly Token[] {
  const tokens: Token[] = [];
  let rest = action.trimStart();
  while (rest !== '') {
    const [token, length] = next(rest);
    tokens.push(token);
    const after = rest.slice(length);
    rest = after.trimStart();
    if (rest !== '' && rest === after && token.is !== 'mark' && !MARK.test(rest))
      throw new TemplateError(`{{${action}}}: a blank is missing before '${rest.slice(0, 20)}'`);
  }
  return tokens;
}

function next(rest: string): readonly [Token, number] {
  const field = FIELD.exec(rest)?.[0];
  if (field !== undefined) return [{ is: 'field', names: field.slice(1).split('.') }, field.length];
  if (rest.startsWith('.')) return [{ is: 'field', names: [] }, 1];
  const variable = VARIABLE.exec(rest);
  if (variable !== null) {
    const [text, name = '', chain = ''] = variable;
    return [{ is: 'variable', name, names: chain === '' ? [] : chain.slice(1).split('.') }, text.length];
  }
  const word = WORD.exec(rest)?.[0];
  if (word === 'true' || word === 'false') return [{ is: 'literal', value: word === 'true' }, word.length];
  if (word !== undefined) return [{ is: 'word', text: word }, word.length];
  const number = NUMBER.exec(rest)?.[0];
  if (number !== undefined) return [{ is: 'literal', value: Number(number) }, number.length];
  const quoted = QUOTED.exec(rest)?.[0];
  if (quoted !== undefined)
    return [{ is: 'literal', value: quoted.slice(1, -1).replaceAll(/\\(.)/g, (_all, one: string) => ESCAPES[one] ?? one) }, quoted.length];
  const raw = RAW.exec(rest)?.[0];
  if (raw !== undefined) return [{ is: 'literal', value: raw.slice(1, -1) }, raw.length];
  const mark = MARK.exec(rest)?.[0];
  if (mark !== undefined) return [{ is: 'mark', text: mark as '(' }, mark.length];
  throw new TemplateError(`'${rest.slice(0, 20)}' is not understood here`);
}
