/** One scalar that a marker changed. */
export type Change = Readonly<{
  oldValue: string;
  newValue: string;
  /** What the marker names: `<namespace>:<policy>`, perhaps with `:name`, `:tag` or `:digest`. */
  setter: string;
}>;
/** The Kubernetes object of a document in a file; texts are empty where the file has none. */
export type FileObject = Readonly<{ apiVersion: string; kind: string; name: string; namespace: string }>;
export type ObjectChange = Readonly<{ object: FileObject; change: Change }>;

export type Edit =
  | Readonly<{ is: 'unchanged' }>
  | Readonly<{ is: 'changed'; text: string; changes: readonly ObjectChange[] }>
  /** The file is no YAML, so nothing in it is touched; the message never quotes it. */
  | Readonly<{ is: 'unreadable'; message: string }>;

export interface Setters {
  /**
   * Gives each scalar before a marker comment `# {"$imagepolicy": "<setter>"}` the value of that setter; a marker without a value is left alone. No other byte
   * changes. Takes time linear in the text.
   */
  apply(text: string, values: ReadonlyMap<string, string>): Edit;
}

/** Only files that hold this text are read. */
export const MARKER = '$imagepolicy';

const YAML_FILE = /(?:\.ya?ml|(?:^|\/)Kustomization)$/;

/** Whether a file of this path may hold markers (definitions.md 5.3). Pure. */
export function mayHoldMarkers(path: string): boolean {
  return YAML_FILE.test(path);
}

type Chosen = Readonly<{ namespace: string; name: string; latest: Readonly<{ name: string; tag: string; digest?: string }> }>;

/** The value of each setter of these policies. `:digest` has one only where the policy reflects digests. Pure. */
export function setterValues(policies: readonly Chosen[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const { namespace, name, latest } of policies) {
    const setter = `${namespace}:${name}`;
    const digest = latest.digest === undefined || latest.digest === '' ? '' : `@${latest.digest}`;
    values.set(setter, `${latest.name}:${latest.tag}${digest}`);
    values.set(`${setter}:name`, latest.name);
    values.set(`${setter}:tag`, latest.tag);
    if (digest !== '') values.set(`${setter}:digest`, digest.slice(1));
  }
  return values;
}
