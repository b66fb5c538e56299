import type { ScalarTag, Tags } from 'yaml';

const WHOLE = /^[-+]?(?:0b[01_]+|0x[0-9A-Fa-f_]+|0o[0-7_]+|[0-9][0-9_]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const NO_NUMBER = /^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/;
const dropped = /:(?:int|float|binary|omap|pairs|set|timestamp)$/;

/** The number tag of Go's YAML reader (libraries.md 15.2): dates, sexagesimals and `e1` are texts; integers keep all their digits. */
const number: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  test: /^(?:[-+]?(?:0b[01_]+|0x[0-9A-Fa-f_]+|0o[0-7_]+|[0-9][0-9_]*)|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  resolve: (text: string, onError: (message: string) => void) => {
    if (NO_NUMBER.test(text)) onError(`${text} is no JSON number: quote it`);
    return WHOLE.test(text) ? wholeOf(text.replaceAll('_', '')) : FLOAT.test(text) ? Number(text) : text;
  },
};

function wholeOf(text: string): bigint | number {
  const sign = text.startsWith('-') ? -1n : 1n;
  const digits = text.replace(/^[-+]/, '');
  if (/^0[0-7]+$/.test(digits)) return sign * BigInt(`0o${digits.slice(1)}`);
  return /^0\d/.test(digits) ? Number(text) : sign * BigInt(digits);
}

/** For `customTags` of a document read with `version: '1.1'`. */
export function goTags(tags: Tags): Tags {
  return [...tags.filter((tag) => typeof tag === 'string' || !dropped.test(tag.tag)), number];
}
