import { AppError } from '#core/errors.ts';
import { UPDATE_TRAILER } from '#core/git-writer.ts';
import type { ObjectChange } from '#core/image/setters.ts';
import { type Node, type Operand, type Pipeline, parseTemplate } from '#core/template/parse.ts';
import { renderTemplate } from '#core/template/render.ts';
import { TemplateError } from '#core/template/tokens.ts';
import { dict, type Value } from '#core/template/value.ts';

export const DEFAULT_MESSAGE = 'Update from image update automation';
const OURS = /^Weir-Update:/m;

export type FileChanges = ReadonlyMap<string, readonly ObjectChange[]>;
type Input = Readonly<{
  template: string | undefined;
  values: Readonly<Record<string, string>>;
  automation: Readonly<{ namespace: string; name: string }>;
  changes: FileChanges;
}>;

/** What is wrong with a template, or null. Pure. */
export function templateProblem(template: string): string | null {
  try {
    parseTemplate(template);
    return null;
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
}

/** The first field of a template that Flux took away, or null. Pure. */
export function removedField(template: string): string | null {
  return (
    fieldsOf(parseTemplate(template)).find(
      (field) => field === '.Updated' || field.startsWith('.Updated.') || field.startsWith('.Changed.ImageResult'),
    ) ?? null
  );
}

/** The commit message. Throws AppError updateFailed that says what to correct. Pure. */
export function messageOf({ template = DEFAULT_MESSAGE, values, automation, changes }: Input): string {
  const message = rendered(template, rootOf(values, automation, changes));
  if (message.trim() === '') throw failed('the commit message is empty');
  if (message.includes('\0') || !message.isWellFormed()) throw failed('the commit message holds a character that git does not take');
  if (OURS.test(message)) throw failed(`no line of the commit message may begin with ${UPDATE_TRAILER}:`);
  return message;
}

function rendered(template: string, root: Value): string {
  try {
    return renderTemplate(parseTemplate(template), root);
  } catch (error) {
    if (error instanceof TemplateError) throw failed(`spec.git.commit.messageTemplate: ${error.message}`);
    throw error;
  }
}

function failed(message: string): AppError {
  return new AppError('updateFailed', message);
}

function rootOf(values: Input['values'], automation: Input['automation'], changes: FileChanges): Value {
  const all = [...changes.values()].flat();
  const files = [...changes]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([path, inFile]) => [path, byObject(inFile)] as const);
  return struct({
    AutomationObject: struct({ Name: automation.name, Namespace: automation.namespace }, `${automation.namespace}/${automation.name}`),
    Changed: struct({ FileChanges: { is: 'dict', entries: files }, Objects: byObject(all), Changes: changeList(all) }),
    Values: dict(values),
  });
}

/** Go ranges over a map of objects in the order of their fields. */
function byObject(changes: readonly ObjectChange[]): Value {
  const groups = Map.groupBy(changes, ({ object: { apiVersion, kind, name, namespace } }) =>
    JSON.stringify([apiVersion, kind, name, namespace]),
  );
  const entries: (readonly [string, Value, Value])[] = [...groups].map(([key, group]) => {
    const { apiVersion = '', kind = '', name = '', namespace = '' } = group[0]?.object ?? {};
    return [key, struct({ APIVersion: apiVersion, Kind: kind, Name: name, Namespace: namespace }), changeList(group)];
  });
  entries.sort(([left], [right]) => (left < right ? -1 : 1));
  return { is: 'dict', entries: entries.map(([, key, value]) => [key, value]) };
}

function changeList(changes: readonly ObjectChange[]): Value {
  return {
    is: 'list',
    items: changes.map(({ change: { oldValue, newValue, setter } }) => struct({ OldValue: oldValue, NewValue: newValue, Setter: setter })),
  };
}

function struct(fields: Readonly<Record<string, Value>>, text: string | null = null): Value {
  return { is: 'struct', fields, text };
}

/** Every field that a template names, from the root or from a variable alike. */
function fieldsOf(nodes: readonly Node[]): readonly string[] {
  return nodes.flatMap((node) => {
    if (node.is === 'text') return [];
    const own = inPipeline(node.pipeline);
    return 'body' in node ? [...own, ...fieldsOf(node.body), ...fieldsOf(node.otherwise)] : own;
  });
}

function inPipeline(pipeline: Pipeline): readonly string[] {
  return pipeline.flatMap(({ operands }) => operands.flatMap(inOperand));
}

function inOperand(operand: Operand): readonly string[] {
  if (operand.is === 'pipeline') return inPipeline(operand.pipeline);
  return operand.is === 'literal' || operand.names.length === 0 ? [] : [`.${operand.names.join('.')}`];
}
