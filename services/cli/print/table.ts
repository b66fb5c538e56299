import Table from 'cli-table3';
import { oneLine } from '#services/cli/term/strip.ts';

const blank = Object.freeze({
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '   ',
});

/** Columns for people: upper-case titles, no frame. Cells are on one line, without control characters, and never cut. Ends with a line feed. */
export function tableText(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: titles.map((title) => oneLine(title).toUpperCase()),
    chars: blank,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  table.push(...rows.map((row) => row.map(oneLine)));
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}
