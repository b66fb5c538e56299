import Type, { type Static, type TSchema } from 'typebox';

/** How the text of a variable becomes a value: as it is, a whole number, `true` or `false`, or a list between commas. */
export type Decoding = 'text' | 'integer' | 'flag' | 'list';

/** One variable of the environment: a line of `docs/config.md` and of the reader. */
export type Setting<S extends TSchema = TSchema> = Readonly<{
  env: `WEIR_${string}`;
  /** What it does, one sentence. */
  about: string;
  /** What a good value looks like: for messages and docs. */
  expects: string;
  /** Unit of a number, else null. */
  unit: string | null;
  /** Value without the variable. `null` means absent; `defaultAbout` says what happens then. */
  default: Static<S>;
  defaultAbout: string | null;
  /** Its value is never shown. */
  secret: boolean;
  decoding: Decoding;
  schema: S;
}>;

type Common = Readonly<{ about: string; secret?: boolean; defaultAbout?: string }>;

const maxTextLength = 4_096;
const maxItems = 256;

const OptionalText = Type.Union([Type.Null(), Type.String()]);
/** A text that may be absent. */
export function optionalText(
  env: `WEIR_${string}`,
  options: Common & Readonly<{ expects: string; pattern?: string }>,
): Setting<typeof OptionalText> {
  const schema = Type.Union([Type.Null(), Type.String({ minLength: 1, maxLength: maxTextLength, ...patternOf(options.pattern) })]);
  return frame(env, options, { expects: options.expects, unit: null, default: null, decoding: 'text', schema });
}

const Text = Type.String();
export function textWithDefault(
  env: `WEIR_${string}`,
  options: Common & Readonly<{ expects: string; pattern?: string; default: string }>,
): Setting<typeof Text> {
  const schema = Type.String({ minLength: 1, maxLength: maxTextLength, ...patternOf(options.pattern) });
  return frame(env, options, { expects: options.expects, unit: null, default: options.default, decoding: 'text', schema });
}

const WholeNumber = Type.Integer();
export function integer(
  env: `WEIR_${string}`,
  options: Common & Readonly<{ unit: string; minimum: number; maximum: number; default: number }>,
): Setting<typeof WholeNumber> {
  const { minimum, maximum, unit } = options;
  const schema = Type.Integer({ minimum, maximum });
  return frame(env, options, {
    expects: `a whole number from ${minimum} to ${maximum}`,
    unit,
    default: options.default,
    decoding: 'integer',
    schema,
  });
}

const Flag = Type.Boolean();
export function flag(env: `WEIR_${string}`, options: Common & Readonly<{ default: boolean }>): Setting<typeof Flag> {
  return frame(env, options, { expects: '`true` or `false`', unit: null, default: options.default, decoding: 'flag', schema: Flag });
}

const TextList = Type.Array(Type.String());
export function list(
  env: `WEIR_${string}`,
  options: Common & Readonly<{ expects: string; pattern?: string; minItems?: number; default: readonly string[] }>,
): Setting<typeof TextList> {
  const item = Type.String({ minLength: 1, maxLength: 256, ...patternOf(options.pattern) });
  const schema = Type.Array(item, { minItems: options.minItems ?? 0, maxItems });
  return frame(env, options, { expects: options.expects, unit: null, default: [...options.default], decoding: 'list', schema });
}

/** One of a few words. */
export function choice<const V extends readonly string[]>(
  env: `WEIR_${string}`,
  values: V,
  options: Common & Readonly<{ default: V[number] }>,
) {
  const schema = Type.Unsafe<V[number]>({ type: 'string', enum: [...values] });
  const expects = values.map((one) => `\`${one}\``).join(', ');
  return frame(env, options, { expects: `one of ${expects}`, unit: null, default: options.default, decoding: 'text' as const, schema });
}

/** A list of a few words. */
export function choices<const V extends readonly string[]>(
  env: `WEIR_${string}`,
  values: V,
  options: Common & Readonly<{ default: readonly V[number][] }>,
) {
  const schema = Type.Unsafe<readonly V[number][]>({
    type: 'array',
    minItems: 1,
    maxItems: values.length,
    items: { type: 'string', enum: [...values] },
  });
  return frame(env, options, {
    expects: `a list of ${values.join(', ')}`,
    unit: null,
    default: options.default,
    decoding: 'list' as const,
    schema,
  });
}

type Rest<S extends TSchema> = Readonly<{ expects: string; unit: string | null; default: Static<S>; decoding: Decoding; schema: S }>;

function frame<S extends TSchema>(env: `WEIR_${string}`, common: Common, rest: Rest<S>): Setting<S> {
  return Object.freeze({ env, about: common.about, secret: common.secret ?? false, defaultAbout: common.defaultAbout ?? null, ...rest });
}

function patternOf(pattern: string | undefined): Readonly<{ pattern?: string }> {
  return pattern === undefined ? {} : { pattern };
}
