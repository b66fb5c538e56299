/** Sequences that a terminal obeys: CSI (colours, cursor), OSC (titles, hyperlinks, clipboard), DCS, PM, APC, and two-character escapes. */
const SEQUENCES =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;
/** What is left of control characters (tab and line feed stay), and the marks that turn the direction of text around. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** The text without anything that a terminal would obey (threats B16). Pure. */
export function stripControls(text: string): string {
  return text.replace(SEQUENCES, '').replace(CONTROLS, '');
}

/** As stripControls, and on one line: for table cells and one-line messages. */
export function oneLine(text: string): string {
  return stripControls(text.replaceAll(/\s*[\r\n]+\s*/g, ' ').replaceAll('\t', ' ')).trim();
}
