import { randomBytes } from 'node:crypto';

/** A secret that was planted, and every form in which it could be met again. */
export type Canary = Readonly<{ label: string; value: string; forms: readonly Buffer[] }>;
export type Sighting = Readonly<{ label: string; where: string; around: string }>;

export type Canaries = Readonly<{
  /** A new value that stands nowhere else. */
  plant(label: string): string;
  /** A secret that was there before. */
  adopt(label: string, value: string): void;
  /** What is found of them in a place. `but` names those that may be there. */
  find(where: string, content: string | Buffer, but?: readonly string[]): readonly Sighting[];
  labels(): readonly string[];
}>;

const AROUND = 60;

export function newCanaries(): Canaries {
  const planted = new Map<string, Canary>();
  const adopt = (label: string, value: string): void => {
    if (value.length < 12) throw new Error(`${label} is too short to be searched for`);
    planted.set(label, { label, value, forms: formsOf(value) });
  };
  return Object.freeze({
    plant: (label: string) => {
      const value = `canary-${label}-${randomBytes(8).toString('hex')}`;
      adopt(label, value);
      return value;
    },
    adopt,
    find: (where: string, content: string | Buffer, but: readonly string[] = []) => {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      return [...planted.values()].flatMap(({ label, forms }) => {
        if (but.includes(label)) return [];
        const at = forms.map((form) => bytes.indexOf(form)).find((index) => index >= 0);
        return at === undefined ? [] : [{ label, where, around: bytes.subarray(Math.max(0, at - AROUND), at + AROUND).toString('latin1') }];
      });
    },
    labels: () => [...planted.keys()],
  });
}

/** As it is, in hexadecimal, and in base64 at each of the three offsets that it may have inside a longer text. */
function formsOf(value: string): readonly Buffer[] {
  const bytes = Buffer.from(value);
  const shifted = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replaceAll('=', '');
    // The first and last characters depend on what stands beside it.
    return text.slice(offset === 0 ? 0 : offset + 1, -2);
  });
  return [value, bytes.toString('hex'), ...shifted].map((form) => Buffer.from(form));
}
