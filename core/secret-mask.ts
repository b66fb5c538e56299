/**
 * Takes the values of Secrets that were read for one piece of work out of every text that is shown about it: an API server quotes what it refuses, wherever a value was
 * substituted (threats A10, E2). Lives as long as the run; nothing of it is stored.
 */
export type SecretMask = Readonly<{
  learn(values: Iterable<Uint8Array>): void;
  /** The text without the known values, as they are, on one line, quoted, percent-encoded or in base64; a value that a `…` cuts off is masked as far as it goes. */
  text(text: string): string;
}>;

const MASK = '***';
/** Shorter values are words and numbers that stand everywhere; masking them would make messages unreadable and hide nothing. */
const MIN_LENGTH = 4;

export function newSecretMask(): SecretMask {
  const known = new Set<string>();
  return Object.freeze({
    learn: (values: Iterable<Uint8Array>) => {
      for (const value of values) for (const form of formsOf(new TextDecoder().decode(value))) known.add(form);
    },
    text: (text: string) => {
      // Longest first, so that a value inside another one leaves no rest.
      const values = [...known].toSorted((a, b) => b.length - a.length);
      return values.reduce((masked, value) => withoutCutOff(masked.replaceAll(value, MASK), value), text);
    },
  });
}

function formsOf(value: string): readonly string[] {
  const plain = [value, value.trim(), value.replaceAll('\n', '')];
  const forms = plain.flatMap((one) => [
    one,
    JSON.stringify(one).slice(1, -1),
    encodeURIComponent(one.toWellFormed()),
    Buffer.from(one, 'utf8').toString('base64'),
  ]);
  return forms.filter((one) => one.length >= MIN_LENGTH);
}

function withoutCutOff(text: string, value: string): string {
  return text
    .split('…')
    .map((part, index, parts) => (index === parts.length - 1 ? part : withoutBeginning(part, value)))
    .join('…');
}

/** `part` without the longest beginning of the value that it ends with. */
function withoutBeginning(part: string, value: string): string {
  for (let length = Math.min(value.length - 1, part.length); length >= MIN_LENGTH; length -= 1)
    if (part.endsWith(value.slice(0, length))) return `${part.slice(0, -length)}${MASK}`;
  return part;
}
