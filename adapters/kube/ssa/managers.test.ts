import { expect, test } from 'vitest';
import { ownershipMark, takeOver } from '#adapters/kube/ssa/managers.ts';
import type { Json, JsonObject } from '#core/json.ts';

const entry = (manager: string, operation: string, fieldsV1: Json, more: JsonObject = {}): JsonObject => ({
  manager,
  operation,
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...more,
});
const ours = entry('weir', 'Apply', { 'f:data': { 'f:a': {} } });
const withEntries = (...managedFields: readonly JsonObject[]): JsonObject => ({ metadata: { managedFields } });

test.each([
  ['kubectl-client-side-apply', 'Update', true],
  ['kubectl-edit', 'Update', true],
  ['kubectl', 'Apply', true],
  ['before-first-apply', 'Update', true],
  ['kustomize-controller', 'Apply', true],
  ['kustomize-controller', 'Update', true],
  ['flux-client-side-apply', 'Apply', false],
  ['helm', 'Update', false],
  ['some-operator', 'Update', false],
  ['before-first-apply-x', 'Update', false],
])('fields of %s/%s are taken over: %s', (manager, operation, isTaken) => {
  const merged = takeOver([ours, entry(manager, operation, { 'f:data': { 'f:b': {} } })], 'weir');
  if (isTaken) expect(merged).toEqual([entry('weir', 'Apply', { 'f:data': { 'f:a': {}, 'f:b': {} } })]);
  else expect(merged).toBe(null);
});

test('a subresource is left to its controller, another API version is dropped, without an entry of ours nothing is taken', () => {
  expect(takeOver([ours, entry('kubectl', 'Update', {}, { subresource: 'scale' })], 'weir')).toBe(null);
  expect(takeOver([ours, entry('kubectl', 'Update', { 'f:x': {} }, { apiVersion: 'v1beta1' })], 'weir')).toEqual([ours]);
  expect(takeOver([entry('kubectl', 'Update', {})], 'weir')).toBe(null);
});

test('the mark moves with our fields and with listed managers, and with nothing else', () => {
  const mark = ownershipMark(withEntries(ours));
  expect(ownershipMark(withEntries(ours, entry('kube-controller-manager', 'Update', { 'f:status': {} }, { subresource: 'status' })))).toBe(
    mark,
  );
  expect(ownershipMark(withEntries({ ...ours, time: '2026-01-01T00:00:00Z' }))).toBe(mark);
  expect(
    ownershipMark(
      withEntries(
        entry('weir', 'Apply', { 'f:data': { 'f:a': {} }, 'f:metadata': { 'f:annotations': { '.': {}, 'f:weir.dev/fence': {} } } }),
      ),
    ),
  ).not.toBe(ownershipMark(withEntries()));
  expect(ownershipMark(withEntries(entry('weir', 'Apply', { 'f:data': {} })))).not.toBe(mark);
  expect(ownershipMark(withEntries(ours, entry('kubectl-edit', 'Update', { 'f:data': { 'f:b': {} } })))).not.toBe(mark);
  expect(ownershipMark(withEntries())).not.toBe(mark);
});
