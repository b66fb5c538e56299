import { expect, test } from 'vitest';
import { parseTemplate } from './parse.ts';
import { renderTemplate } from './render.ts';
import { TemplateError } from './tokens.ts';
import { dict, type Value } from './value.ts';

const struct = (fields: Readonly<Record<string, Value>>, text: string | null = null): Value => ({ is: 'struct', fields, text });
const change = (old: string, next: string, setter: string): Value => struct({ OldValue: old, NewValue: next, Setter: setter });
const list = (...items: readonly Value[]): Value => ({ is: 'list', items });
const changes = list(change('a:1', 'a:2', 'ns:a'), change('1', '2', 'ns:a:tag'));
const resource = struct({ Kind: 'Deployment', Name: 'web', Namespace: 'prod', APIVersion: 'apps/v1' });
const root = struct({
  AutomationObject: struct({ Name: 'auto', Namespace: 'team' }, 'team/auto'),
  Changed: struct({
    FileChanges: {
      is: 'dict',
      entries: [
        ['b.yaml', changes],
        ['c.yaml', changes],
      ],
    },
    Objects: { is: 'dict', entries: [[resource, changes]] },
    Changes: changes,
  }),
  Values: dict({ cluster: 'prod', zone: '', quoted: 'a "b"' }),
});

const of = (template: string): string => renderTemplate(parseTemplate(template), root);

test.each<readonly [string, string]>([
  ['Update from image update automation', 'Update from image update automation'],
  ['{{ .AutomationObject }}', 'team/auto'],
  ['{{ .AutomationObject.Name }} in {{.AutomationObject.Namespace}}', 'auto in team'],
  ['{{ range .Changed.Changes -}}\n- {{ .OldValue }} -> {{ .NewValue }}\n{{ end -}}', '- a:1 -> a:2\n- 1 -> 2\n'],
  ['{{ range $file, $_ := .Changed.FileChanges -}}\n- {{ $file }}\n{{ end -}}', '- b.yaml\n- c.yaml\n'],
  [
    '{{ range $resource, $changes := .Changed.Objects -}}\n- {{ $resource.Kind }} {{ $resource.Name }}\n{{- range $_, $change := $changes }}\n    - {{ $change.OldValue }} -> {{ $change.NewValue }}\n{{- end }}\n{{ end -}}',
    '- Deployment web\n    - a:1 -> a:2\n    - 1 -> 2\n',
  ],
  ['{{ .Values.cluster }} {{ index .Values "cluster" }}', 'prod prod'],
  ['{{ if eq .Values.cluster "prod" }}yes{{ else }}no{{ end }}', 'yes'],
  ['{{ if eq .Values.cluster "a" "prod" }}yes{{ end }}', 'yes'],
  ['{{ if .Values.zone }}a{{ else if ne .Values.cluster "x" }}b{{ else }}c{{ end }}', 'b'],
  ['{{ with .Values.zone }}{{ . }}{{ else }}none{{ end }}', 'none'],
  ['{{ with .AutomationObject }}{{ .Name }}{{ $.Values.cluster }}{{ end }}', 'autoprod'],
  ['{{ $n := len .Changed.Changes }}{{ $n }} changes', '2 changes'],
  ['{{ $s := "a" }}{{ if true }}{{ $s = "b" }}{{ end }}{{ $s }}', 'b'],
  ['{{ .Values.cluster | upper | printf "%s!" }}', 'PROD!'],
  ['{{ printf "%s/%q/%d/%%" .Values.cluster .Values.quoted (len .Values.cluster) }}', 'prod/"a \\"b\\""/4/%'],
  ['{{ default "eu" .Values.zone }} {{ .Values.zone | default "us" }}', 'eu us'],
  [
    '{{ trimPrefix "pr" .Values.cluster }}{{ replace "o" "0" .Values.cluster }}{{ trunc 2 .Values.cluster }}{{ trunc -1 .Values.cluster }}',
    'odpr0dprd',
  ],
  ['{{ and .Values.cluster .Values.zone }}|{{ or .Values.zone .Values.cluster }}|{{ not .Values.zone }}', '|prod|true'],
  ['a {{- /* a }} comment */ -}} b', 'ab'],
  ['{{ "}}" }}{{ `{{ raw` }}', '}}{{ raw'],
  ['{{ range .Changed.FileChanges }}{{ else }}x{{ end }}', ''],
  ['a\n  {{- "b" -}}  \n c', 'abc'],
  ['{{"\\n\\t\\""}}', '\n\t"'],
])('%s', (template, expected) => {
  expect(of(template)).toBe(expected);
});

test.each<readonly [string, string]>([
  ['{{ .Changed', 'not closed'],
  ['{{ "a }}', 'not closed'],
  ['{{ end }}', 'unexpected {{end}}'],
  ['{{ if .Values }}', 'no {{end}}'],
  ['{{ range .Values }}{{ else }}', 'no {{end}}'],
  ['{{ env "HOME" }}', "'env' is not supported"],
  ['{{ template "x" }}', "'template' is not supported"],
  ['{{ define "x" }}{{ end }}', "'define' is not supported"],
  ['{{ .Values "a" }}', 'only a function takes arguments'],
  ['{{ .Values | .Other }}', 'must be a function'],
  ['{{ 1.5 }}', 'not understood'],
  ["{{ 'a' }}", 'not understood'],
  ['{{ (len .Values }}', 'not closed'],
  ['{{ }}', 'empty part'],
  ['{{ len"a" }}', 'a blank is missing'],
  ['{{ .Values.none }}', "no field or key 'none'"],
  ['{{ .Nothing }}', "no field or key 'Nothing'"],
  ['{{ .Values.constructor }}', 'no field or key'],
  ['{{ .constructor }}', 'no field or key'],
  ['{{ .__proto__ }}', 'no field or key'],
  ['{{ .Changed }}', 'cannot be printed'],
  ['{{ $x }}', 'not declared'],
  ['{{ printf "%x" "a" }}', '%x is not supported'],
  ['{{ printf "%s" }}', 'too few'],
  ['{{ len 1 }}', 'len takes'],
  ['{{ range "a" }}{{ end }}', 'range takes'],
])('%s: %s', (template, message) => {
  expect(() => of(template)).toThrow(TemplateError);
  expect(() => of(template)).toThrow(message);
});

test('what a template may take is bounded', () => {
  const nested = (count: number): string => `${'{{ range .Changed.Changes }}'.repeat(count)}x${'{{ end }}'.repeat(count)}`;
  const startMs = performance.now();
  expect(() => of(nested(30).replaceAll('.Changed', '$.Changed'))).toThrow(TemplateError);
  expect(() => of(nested(40))).toThrow('deeper than 32');
  expect(() => of('a'.repeat(20_000))).toThrow('longer than 16384');
  expect(() => of(`{{${'"'.repeat(15_000)}`)).toThrow(TemplateError);
  expect(() => of(`{{${' '.repeat(15_000)}`)).toThrow(TemplateError);
  expect(performance.now() - startMs).toBeLessThan(3_000);
});
