import { AppError } from './errors.ts';
import { labelValueFault, qualifiedNameFault } from './names.ts';

export type Requirement = Readonly<{ key: string; operator: 'in' | 'notin' | 'exists' | 'missing'; values: readonly string[] }>;
export type LabelSelector = readonly Requirement[];

const SET = /^([^\s,()!=]+)\s+(in|notin)\s*\(([^()]*)\)$/;
const EQUAL = /^([^\s,()!=]+)\s*(==|=|!=)\s*([^\s,()!=]*)$/;
const BARE = /^(!?)\s*([^\s,()!=]+)$/;
const maxRequirements = 256;

/** Reads `a=b,c!=d,e in (f,g),!h,i`. Throws AppError badRequest. */
export function parseLabelSelector(text: string): LabelSelector {
  if (text.trim() === '') return [];
  const parts = splitTop(text);
  if (parts.length > maxRequirements) throw unable(text, `more than ${maxRequirements} requirements`);
  return parts.map((part) => parseRequirement(part.trim(), text));
}

/** Commas inside parentheses belong to the value list. */
function splitTop(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function parseRequirement(part: string, whole: string): Requirement {
  const set = SET.exec(part);
  if (set !== null) {
    const values = (set[3] ?? '').split(',').map((one) => one.trim());
    return checked({ key: set[1] ?? '', operator: set[2] === 'in' ? 'in' : 'notin', values }, whole);
  }
  const equal = EQUAL.exec(part);
  if (equal !== null)
    return checked({ key: equal[1] ?? '', operator: equal[2] === '!=' ? 'notin' : 'in', values: [equal[3] ?? ''] }, whole);
  const bare = BARE.exec(part);
  if (bare !== null) return checked({ key: bare[2] ?? '', operator: bare[1] === '!' ? 'missing' : 'exists', values: [] }, whole);
  throw unable(whole, `found '${part.slice(0, 64)}'`);
}

function checked(requirement: Requirement, whole: string): Requirement {
  const fault = qualifiedNameFault(requirement.key) ?? requirement.values.map(labelValueFault).find((one) => one !== null) ?? null;
  if (fault !== null) throw unable(whole, fault);
  return requirement;
}

function unable(selector: string, why: string): AppError {
  return new AppError('badRequest', `unable to parse requirement of the label selector "${selector.slice(0, 128)}": ${why}`);
}

export function matchesLabels(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  return selector.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator) {
      case 'exists':
        return value !== undefined;
      case 'missing':
        return value === undefined;
      case 'in':
        return value !== undefined && values.includes(value);
      case 'notin':
        return value === undefined || !values.includes(value);
    }
  });
}
