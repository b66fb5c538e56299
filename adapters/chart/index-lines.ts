import { oneLineScalar } from './scalar.ts';

/** What an index says of one version of a chart. `created` and `digest` are as written, '' when absent. */
export type IndexEntry = Readonly<{ version: string; urls: readonly string[]; digest: string; created: string }>;
export type IndexEntries = ReadonlyMap<string, readonly IndexEntry[]>;

/** Reads an index line by line. `end` answers `irregular` when the text has a form that only a whole YAML reader understands. */
export type IndexReader = Readonly<{ line(text: string): void; end(): IndexEntries | 'irregular' | 'tooMany' }>;
/** `versions` also bounds the charts. */
export type IndexLimits = Readonly<{ versions: number; versionsOfOneChart: number }>;

const KEY = /^(?:"([^"\\]+)"|'([^']+)'|([A-Za-z0-9_./+-]+))[ ]*:(?=[ ]|$)/;

/** How many addresses of a version are kept. */
export const MAX_URLS = 4;

type Draft = { version: string; urls: string[]; digest: string; created: string };
type State = {
  section: 'head' | 'entries' | 'other' | 'ended' | 'irregular' | 'tooMany';
  hasEntries: boolean;
  hasApiVersion: boolean;
  chartIndent: number;
  itemIndent: number;
  keyIndent: number;
  key: string;
  list: IndexEntry[];
  draft: Draft | null;
};

/**
 * The reader for indexes as `helm repo index` and every known server write them: block style, one key per line. Of 50 MiB it keeps names, versions,
 * addresses and digests only, so its memory is that of its answer. It never guesses: what is not exactly of this form is irregular.
 */
export function createIndexReader(limits: IndexLimits): IndexReader {
  const charts = new Map<string, IndexEntry[]>();
  let count = 0;
  const state: State = {
    section: 'head',
    hasEntries: false,
    hasApiVersion: false,
    chartIndent: -1,
    itemIndent: -1,
    keyIndent: -1,
    key: '',
    list: [],
    draft: null,
  };

  function give(): void {
    const { draft } = state;
    if (draft !== null)
      state.list.push(
        Object.freeze({ version: own(draft.version), urls: draft.urls.map(own), digest: own(draft.digest), created: own(draft.created) }),
      );
    state.draft = null;
  }

  function irregular(): void {
    state.section = 'irregular';
  }

  function tooMany(): void {
    state.section = 'tooMany';
  }

  function top(text: string): void {
    if (text.startsWith('---')) return state.section === 'head' && text.trim() === '---' ? undefined : end(text);
    if (text.startsWith('...')) return end(text);
    if (text.startsWith('- ') && state.section === 'other') return;
    const found = keyOf(text);
    if (found === null) return irregular();
    give();
    if (found.key !== 'entries') {
      if (found.key === 'apiVersion') state.hasApiVersion = oneLineScalar(found.rest).is === 'text';
      state.section = 'other';
      return;
    }
    const value = found.rest.trim();
    if (state.hasEntries || (value !== '' && !value.startsWith('#') && value !== '{}')) return irregular();
    state.hasEntries = true;
    state.section = value === '{}' ? 'other' : 'entries';
  }

  /** What follows another document is not read, as Go reads the first one only. */
  function end(text: string): void {
    give();
    state.section = /^(---|\.\.\.)(\s|$)/.test(text) ? 'ended' : 'irregular';
  }

  function chart(text: string): void {
    const found = keyOf(text);
    if (found === null) return irregular();
    const value = found.rest.trim();
    if (charts.has(found.key) || (value !== '' && value !== '[]' && !value.startsWith('#'))) return irregular();
    give();
    state.list = [];
    if (charts.size >= limits.versions) return tooMany();
    charts.set(own(found.key), state.list);
    state.itemIndent = -1;
  }

  function item(text: string, indent: number): void {
    give();
    count += 1;
    if (charts.size === 0) return irregular();
    if (count > limits.versions || state.list.length >= limits.versionsOfOneChart) return tooMany();
    state.draft = { version: '', urls: [], digest: '', created: '' };
    const rest = text.slice(1);
    const body = rest.trimStart();
    state.keyIndent = body === '' ? -1 : indent + 1 + (rest.length - body.length);
    state.key = '';
    if (body !== '') field(body);
  }

  function field(text: string): void {
    const found = keyOf(text);
    const draft = state.draft;
    if (found === null || draft === null) return irregular();
    state.key = found.key;
    if (found.key === 'urls') {
      const value = found.rest.trim();
      draft.urls = [];
      if (value !== '' && value !== '[]' && !value.startsWith('#')) irregular();
      return;
    }
    if (found.key !== 'version' && found.key !== 'digest' && found.key !== 'created') return;
    const value = oneLineScalar(found.rest);
    if (value.is === 'irregular') return irregular();
    draft[found.key] = value.is === 'text' ? value.text : '';
  }

  /** A line that belongs to the value of the current key. */
  function continuation(text: string): void {
    if (state.key === 'version' || state.key === 'digest' || state.key === 'created') return irregular();
    if (state.key !== 'urls') return;
    const value = text.startsWith('- ') ? oneLineScalar(text.slice(2)) : null;
    if (value === null || value.is !== 'text') return irregular();
    // Helm asks the first address only; a list without end must not be kept.
    if (state.draft !== null && state.draft.urls.length < MAX_URLS) state.draft.urls.push(value.text);
  }

  function inEntries(text: string, indent: number): void {
    if (state.chartIndent === -1) state.chartIndent = indent;
    const isItem = text === '-' || text.startsWith('- ');
    if (indent < state.chartIndent) return irregular();
    if (indent === state.chartIndent && !isItem) return chart(text);
    if (state.itemIndent === -1) {
      if (!isItem) return irregular();
      state.itemIndent = indent;
    }
    if (indent === state.itemIndent) return isItem ? item(text, indent) : irregular();
    if (indent < state.itemIndent || state.draft === null) return irregular();
    if (state.keyIndent === -1) state.keyIndent = indent;
    if (indent < state.keyIndent) return irregular();
    return indent === state.keyIndent && !isItem ? field(text) : continuation(text);
  }

  return Object.freeze({
    line(raw: string): void {
      if (state.section === 'ended' || state.section === 'irregular' || state.section === 'tooMany') return;
      const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
      const text = line.trimStart();
      if (text === '' || text.startsWith('#')) return;
      const indent = line.length - text.length;
      if (line.slice(0, indent).includes('\t') || line.includes('\0')) return irregular();
      if (indent === 0) return top(line);
      if (state.section === 'head') return irregular();
      if (state.section === 'entries') inEntries(text, indent);
    },
    end(): IndexEntries | 'irregular' | 'tooMany' {
      give();
      if (state.section === 'tooMany') return 'tooMany';
      return state.section === 'irregular' || !state.hasEntries || !state.hasApiVersion ? 'irregular' : charts;
    },
  });
}

/** The text with memory of its own: a part of a line would keep the whole chunk of the file that it was cut from. */
function own(text: string): string {
  return text === '' ? text : Buffer.from(text).toString('utf8');
}

function keyOf(text: string): Readonly<{ key: string; rest: string }> | null {
  const found = KEY.exec(text);
  if (found === null) return null;
  return { key: found[1] ?? found[2] ?? found[3] ?? '', rest: text.slice(found[0].length) };
}
