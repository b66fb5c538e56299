/** Rest of a line after `key:`. A value that spans lines, has a tag, an anchor or an escape is `irregular`: the whole text then goes to the YAML reader. */
export type Scalar = Readonly<{ is: 'text'; text: string }> | Readonly<{ is: 'empty' }> | Readonly<{ is: 'irregular' }>;

const NUMBER = /^[-+]?(?:[0-9][0-9_]*)?(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?$/;
const PREFIXED = /^[-+]?0[xXoObB]/;
const PLAIN_START = /^[A-Za-z0-9._/~]/;

/** A scalar on one line, as Go's reader puts it into a text field: plain, in double quotes without escapes, or in single quotes. Pure. */
export function oneLineScalar(rest: string): Scalar {
  const text = rest.trim();
  if (text === '' || text.startsWith('#')) return { is: 'empty' };
  const quote = text[0];
  if (quote === '"' || quote === "'") return quoted(text, quote);
  const comment = text.indexOf(' #');
  const plain = comment === -1 ? text : text.slice(0, comment).trimEnd();
  if (!PLAIN_START.test(plain) || plain.includes(': ') || plain.endsWith(':') || plain.includes('\t')) return { is: 'irregular' };
  if (PREFIXED.test(plain) || plain === '~') return { is: 'irregular' };
  // `version: 1.10` is a number to YAML, and becomes the text 1.1.
  if (NUMBER.test(plain) && /[0-9]/.test(plain))
    return plain.includes('_') ? { is: 'irregular' } : { is: 'text', text: String(Number(plain)) };
  return { is: 'text', text: plain };
}

function quoted(text: string, quote: string): Scalar {
  const end = text.indexOf(quote, 1);
  if (end === -1) return { is: 'irregular' };
  const inner = text.slice(1, end);
  const after = text.slice(end + 1).trim();
  const isPlainEnd = after === '' || after.startsWith('#');
  return isPlainEnd && !inner.includes('\\') ? { is: 'text', text: inner } : { is: 'irregular' };
}
