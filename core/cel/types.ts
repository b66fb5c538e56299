/** Static types of expressions, as far as they decide whether one is refused before it is run. */
export type Type = Readonly<{ name: string; of: readonly Type[] }>;

export const dyn: Type = plain('dyn');
export const bool: Type = plain('bool');

export function plain(name: string): Type {
  return { name, of: [] };
}
export function listType(item: Type): Type {
  return { name: 'list', of: [item] };
}
export function mapType(key: Type, value: Type): Type {
  return { name: 'map', of: [key, value] };
}
export function optionalType(of: Type): Type {
  return { name: 'optional', of: [of] };
}

export function shownType({ name, of }: Type): string {
  return of.length === 0 ? name : `${name}(${of.map(shownType).join(', ')})`;
}

export type Signature = Readonly<{ args: readonly Type[]; result: Type }>;
export type Bindings = Map<string, Type>;

/** Types in signatures: `A` and `B` stand for any one type. */
const SIGNATURES = `
_+_(int,int):int _+_(uint,uint):uint _+_(double,double):double _+_(string,string):string _+_(bytes,bytes):bytes _+_(list<A>,list<A>):list<A>
_+_(timestamp,duration):timestamp _+_(duration,timestamp):timestamp _+_(duration,duration):duration
_-_(int,int):int _-_(uint,uint):uint _-_(double,double):double _-_(timestamp,timestamp):duration _-_(timestamp,duration):timestamp _-_(duration,duration):duration
_*_(int,int):int _*_(uint,uint):uint _*_(double,double):double _/_(int,int):int _/_(uint,uint):uint _/_(double,double):double _%_(int,int):int _%_(uint,uint):uint
_==_(A,A):bool _!=_(A,A):bool !_(bool):bool -_(int):int -_(double):double _in_(A,list<A>):bool _in_(A,map<A,B>):bool
size(string):int size(bytes):int size(list<A>):int size(map<A,B>):int .size(string):int .size(bytes):int .size(list<A>):int .size(map<A,B>):int
matches(string,string):bool .matches(string,string):bool .contains(string,string):bool .startsWith(string,string):bool .endsWith(string,string):bool
int(int):int int(uint):int int(double):int int(string):int int(timestamp):int int(duration):int
uint(uint):uint uint(int):uint uint(double):uint uint(string):uint double(double):double double(int):double double(uint):double double(string):double
string(string):string string(bool):string string(int):string string(uint):string string(double):string string(bytes):string string(timestamp):string string(duration):string
bytes(bytes):bytes bytes(string):bytes bool(bool):bool bool(string):bool dyn(A):dyn type(A):type
timestamp(timestamp):timestamp timestamp(string):timestamp timestamp(int):timestamp duration(duration):duration duration(string):duration duration(int):duration
.charAt(string,int):string .format(string,list<dyn>):string .indexOf(string,string):int .indexOf(string,string,int):int
.lastIndexOf(string,string):int .lastIndexOf(string,string,int):int .join(list<string>):string .join(list<string>,string):string
.lowerAscii(string):string .upperAscii(string):string .trim(string):string .reverse(string):string
.replace(string,string,string):string .replace(string,string,string,int):string .split(string,string):list<string> .split(string,string,int):list<string>
.substring(string,int):string .substring(string,int,int):string strings.quote(string):string
base64.encode(bytes):string base64.decode(string):bytes
sets.contains(list<A>,list<A>):bool sets.equivalent(list<A>,list<A>):bool sets.intersects(list<A>,list<A>):bool
optional.of(A):optional<A> optional.none():optional<A> optional.ofNonZeroValue(A):optional<A> optional.unwrap(list<optional<A>>):list<A>
.unwrapOpt(list<optional<A>>):list<A> .first(list<A>):optional<A> .last(list<A>):optional<A>
.hasValue(optional<A>):bool .value(optional<A>):A .or(optional<A>,optional<A>):optional<A> .orValue(optional<A>,A):A
`;
const ORDERED = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration'];
const NUMBERS = ['int', 'uint', 'double'];
const DATE_PARTS = ['getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek', 'getDayOfYear'];
const CLOCK_PARTS = ['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'];

/** All functions, operators and methods (with a leading dot; the target is the first argument) by name. */
export const signatures: ReadonlyMap<string, readonly Signature[]> = readSignatures();

function readSignatures(): ReadonlyMap<string, readonly Signature[]> {
  const found = new Map<string, Signature[]>();
  const texts = SIGNATURES.trim().split(/\s+/);
  for (const operator of ['<', '<=', '>', '>='])
    for (const left of ORDERED)
      for (const right of NUMBERS.includes(left) ? NUMBERS : [left]) texts.push(`_${operator}_(${left},${right}):bool`);
  for (const part of [...DATE_PARTS, ...CLOCK_PARTS]) texts.push(`.${part}(timestamp):int`, `.${part}(timestamp,string):int`);
  for (const part of CLOCK_PARTS) texts.push(`.${part}(duration):int`);
  for (const text of texts) {
    const open = text.indexOf('(');
    const close = text.lastIndexOf('):');
    const name = text.slice(0, open);
    const signature = { args: typesIn(text.slice(open + 1, close)), result: typesIn(text.slice(close + 2))[0] ?? dyn };
    found.set(name, [...(found.get(name) ?? []), signature]);
  }
  return found;
}

function typesIn(text: string): readonly Type[] {
  const types: Type[] = [];
  for (let rest = text; rest !== ''; ) {
    let depth = 0;
    let end = 0;
    for (; end < rest.length && (depth > 0 || rest[end] !== ','); end += 1) depth += rest[end] === '<' ? 1 : rest[end] === '>' ? -1 : 0;
    const one = rest.slice(0, end);
    const open = one.indexOf('<');
    types.push(open < 0 ? plain(one) : { name: one.slice(0, open), of: typesIn(one.slice(open + 1, -1)) });
    rest = rest.slice(end + 1);
  }
  return types;
}

function isParameter({ name }: Type): boolean {
  return name === 'A' || name === 'B';
}

/** Whether a value of a type may stand where a signature wants another; what its parameters stand for is noted. */
export function isAssignable(formal: Type, actual: Type, bindings: Bindings): boolean {
  if (isParameter(formal)) {
    const bound = bindings.get(formal.name);
    if (bound === undefined || bound.name === 'unknown') {
      bindings.set(formal.name, actual);
      return true;
    }
    if (actual.name === 'unknown' || isAssignable(bound, actual, bindings)) {
      if (actual.name === 'dyn') bindings.set(formal.name, dyn);
      return true;
    }
    return false;
  }
  if (formal.name === 'dyn' || actual.name === 'dyn' || actual.name === 'unknown' || formal.name === 'unknown') return true;
  if (actual.name === 'null') return ['null', 'timestamp', 'duration', 'optional'].includes(formal.name);
  if (formal.name === 'null') return ['timestamp', 'duration', 'optional'].includes(actual.name);
  return (
    formal.name === actual.name &&
    formal.of.length === actual.of.length &&
    formal.of.every((one, index) => isAssignable(one, actual.of[index] ?? dyn, bindings))
  );
}

/** A type with its parameters replaced; what nothing was said about is unknown. */
export function substituted(type: Type, bindings: Bindings): Type {
  if (isParameter(type)) return bindings.get(type.name) ?? plain('unknown');
  return type.of.length === 0 ? type : { name: type.name, of: type.of.map((one) => substituted(one, bindings)) };
}
