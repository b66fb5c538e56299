/** The little XML that object stores answer: elements and text. Declarations, comments and attributes are skipped; a DOCTYPE, entities of one's own, CDATA and depth are refused. */
export type XmlElement = Readonly<{ name: string; text: string; children: readonly XmlElement[] }>;

type Open = { name: string; text: string; children: XmlElement[] };

const MAX_DEPTH = 16;
const NAMED: Readonly<Record<string, string>> = Object.freeze({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" });

/** The root element, or null for a text that is not such XML. Linear in the text, which its reader bounds. Pure. */
export function parseXml(text: string): XmlElement | null {
  const top: Open = { name: '', text: '', children: [] };
  const open: Open[] = [top];
  let at = 0;
  const source = text.replace(/^\ufeff/, '');
  // Made anew for each text: a sticky pattern keeps its place.
  const token = /<\?[^?]*\?>|<!--(?:[^-]|-[^-])*-->|<(\/?)([A-Za-z][A-Za-z0-9_.:-]*)([^<>]*?)(\/?)>|([^<]+)/y;
  while (at < source.length) {
    token.lastIndex = at;
    const found = token.exec(source);
    const current = open.at(-1);
    if (found === null || current === undefined) return null;
    at = token.lastIndex;
    const [, closing, name, , selfClosing, characters] = found;
    if (characters !== undefined) {
      const plain = unescaped(characters);
      if (plain === null || (current === top && plain.trim() !== '')) return null;
      current.text += plain;
    } else if (name !== undefined && closing === '/') {
      if (open.length === 1 || current.name !== name) return null;
      open.pop();
    } else if (name !== undefined) {
      const child: Open = { name, text: '', children: [] };
      current.children.push(child);
      if (selfClosing !== '/') open.push(child);
      if (open.length > MAX_DEPTH) return null;
    }
  }
  const [root, ...more] = top.children;
  return open.length === 1 && more.length === 0 && root !== undefined ? root : null;
}

export function childrenOf(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** Text of the only child of that name; undefined when there is none. Pure. */
export function textOf(element: XmlElement, name: string): string | undefined {
  return element.children.find((child) => child.name === name)?.text;
}

function unescaped(text: string): string | null {
  let bad = false;
  const plain = text.replace(/&([^;&]{0,10})(;?)/g, (_all, body: string, end: string) => {
    const code = /^#x([0-9a-fA-F]{1,6})$/.exec(body)?.[1];
    const decimal = /^#([0-9]{1,7})$/.exec(body)?.[1];
    const point = code !== undefined ? Number.parseInt(code, 16) : decimal !== undefined ? Number(decimal) : null;
    const named = Object.hasOwn(NAMED, body) ? NAMED[body] : undefined;
    if (end === ';' && named !== undefined) return named;
    if (end === ';' && point !== null && point <= 0x10_ff_ff) return String.fromCodePoint(point);
    bad = true;
    return '';
  });
  return bad ? null : plain;
}
