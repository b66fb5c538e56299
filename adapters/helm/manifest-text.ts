import { Document, isScalar, type Scalar, visit } from 'yaml';
import type { Manifest } from '#core/ports.ts';

/** Read as text by every YAML reader: no word or number of YAML 1.1, and nothing that Go's number parser takes besides (`0o17`, `1_000`). */
const PLAIN = /^[A-Za-z/][A-Za-z0-9_./@=-]*(?:[ :][A-Za-z0-9_./@=-]+)*$/;
const WORD = /^(?:y|n|yes|no|on|off|true|false|null|inf|infinity|nan|e[0-9]+)$/i;
/** A block of lines that nobody can misread: printable, no blank at an end of a line, no blank or line break at the beginning. */
const BLOCK = /^[^\s][\x20-\x7e\n]*$/;

/** Objects as one YAML stream, the way people expect to read it in `helm get manifest`; each text survives to the byte (definitions.md 4.2). Pure. */
export function manifestText(objects: readonly Manifest[]): string {
  return objects.map((object) => `---\n${textOf(object)}`).join('');
}

function textOf(object: Manifest): string {
  const document = new Document(object, { version: '1.1', aliasDuplicateObjects: false });
  visit(document, {
    Scalar(key, node) {
      if (typeof node.value === 'string') node.type = styleOf(node.value, key === 'key');
    },
    Pair(_key, pair) {
      if (isScalar(pair.key) && typeof pair.key.value === 'string') pair.key.type = styleOf(pair.key.value, true);
    },
  });
  return document.toString({ lineWidth: 0, directives: false });
}

function styleOf(text: string, isKey: boolean): NonNullable<Scalar['type']> {
  if (PLAIN.test(text) && !WORD.test(text)) return 'PLAIN';
  if (!isKey && text.includes('\n') && BLOCK.test(text) && !/ (?:\n|$)/.test(text)) return 'BLOCK_LITERAL';
  return 'QUOTE_DOUBLE';
}
