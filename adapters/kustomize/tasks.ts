import { AppError } from '#core/errors.ts';
import type { Json } from '#core/json.ts';
import type { Manifest } from '#core/ports.ts';
import type { BuiltObject } from './objects.ts';
import { readBuilt, substituteObject } from './objects.ts';
import { readYaml, YamlError } from './yaml.ts';

/** Work with YAML that may be long: done here or, by the same code, in a worker thread. Plain data both ways. */
export type Task =
  | Readonly<{ do: 'yaml'; text: string; maxBytes: number }>
  | Readonly<{ do: 'read'; texts: readonly string[] }>
  | Readonly<{ do: 'substitute'; built: readonly BuiltObject[]; variables: readonly (readonly [string, string])[] }>;
export type Answer =
  | Readonly<{ is: 'yaml'; documents: readonly Json[] }>
  | Readonly<{ is: 'built'; built: readonly BuiltObject[] }>
  | Readonly<{ is: 'objects'; objects: readonly Manifest[] }>
  | Readonly<{ is: 'refused'; message: string }>
  | Readonly<{ is: 'notYaml'; message: string }>;

/** Does a task at once. What the user has to mend comes back as data, so that it passes from thread to thread; bugs throw. */
export function doTask(task: Task): Answer {
  try {
    switch (task.do) {
      case 'yaml':
        return { is: 'yaml', documents: readYaml(task.text, { maxBytes: task.maxBytes, uniqueKeys: true }) };
      case 'read':
        return { is: 'built', built: task.texts.map((text, index) => readBuilt(text, index + 1)) };
      case 'substitute': {
        const variables = new Map(task.variables);
        return { is: 'objects', objects: task.built.map((one) => substituteObject(one, variables)) };
      }
    }
  } catch (error) {
    if (error instanceof YamlError) return { is: 'notYaml', message: error.message };
    if (error instanceof AppError && error.code === 'buildFailed') return { is: 'refused', message: error.message };
    throw error;
  }
}
