import { describe, expect, it } from 'vitest';
import { differences, fenceReversals, lostTriggers, lostWrites, orphans, wrongfulDeletions } from '#tests/harness/fault-checker.ts';

/** Each bug is what a broken plane would leave behind; the checker must name it, and must be silent about its sound twin. */
describe('the checker finds seeded bugs', () => {
  const ok = { name: 'a', outcome: 'ok', generation: 2, content: 'new' } as const;

  it('an acknowledged create that vanished (no commit before the answer)', () => {
    expect(lostWrites([ok], [])).toEqual(['a: acknowledged and not there']);
    expect(lostWrites([ok], [{ name: 'a', generation: 2, content: 'new' }])).toEqual([]);
  });

  it('an acknowledged update that was rolled back', () => {
    expect(lostWrites([ok], [{ name: 'a', generation: 1, content: 'old' }])).toHaveLength(2);
  });

  it('half of a write without an answer; wholly or not at all is fine', () => {
    const unknown = { name: 'a', outcome: 'unknown', generation: null, content: 'newer' } as const;
    expect(lostWrites([ok, unknown], [{ name: 'a', generation: 3, content: 'half' }])).toHaveLength(1);
    expect(lostWrites([ok, unknown], [{ name: 'a', generation: 3, content: 'newer' }])).toEqual([]);
    expect(lostWrites([ok, unknown], [{ name: 'a', generation: 2, content: 'new' }])).toEqual([]);
    expect(lostWrites([unknown], [])).toEqual([]);
  });

  it('a refused write that took effect', () => {
    const refused = { name: 'a', outcome: 'refused', generation: null, content: 'sneaked' } as const;
    expect(lostWrites([ok, refused], [{ name: 'a', generation: 3, content: 'sneaked' }])).toHaveLength(1);
  });

  it('a trigger that only Redis knew (no outbox)', () => {
    expect(lostTriggers(['t1', 't2'], 't1', [])).toHaveLength(1);
    expect(lostTriggers(['t1', 't2'], 't2', [])).toEqual([]);
    expect(lostTriggers(['t1'], null, [])).toHaveLength(1);
  });

  it('a trigger that came during a run and was taken for handled', () => {
    expect(lostTriggers([], null, [{ unit: 'u', triggerNo: 4, handledNo: 3 }])).toHaveLength(1);
    expect(lostTriggers([], null, [{ unit: 'u', triggerNo: 4, handledNo: 4 }])).toEqual([]);
  });

  it('an object that was never applied, one never pruned, one left half-way', () => {
    const live = (id: string, content: string) => ({ id, uid: id, fence: 1, content });
    const wanted = [
      { id: 'a', content: '1' },
      { id: 'b', content: '1' },
    ];
    expect(differences([live('a', '1')], wanted)).toEqual(['b: missing']);
    expect(differences([live('a', '1'), live('b', '1'), live('c', '1')], wanted)).toEqual(['c: extra']);
    expect(differences([live('a', '1'), live('b', '0')], wanted)).toEqual(['b: holds 0 instead of 1']);
    expect(differences([live('a', '1'), live('b', '1')], wanted)).toEqual([]);
  });

  it('an inventory written after the apply, or shrunk on a failed delete', () => {
    expect(orphans([{ id: 'a' }], new Set())).toEqual(['a: lives and is in no inventory']);
    expect(orphans([{ id: 'a' }], new Set(['a', 'gone']))).toEqual([]);
  });

  it('a delete of what the source holds, and of what was never ours', () => {
    const revisions = [
      { fromMs: 0, ids: new Set(['a', 'b']) },
      { fromMs: 10, ids: new Set(['a']) },
    ];
    const ours = new Set(['a', 'b']);
    expect(wrongfulDeletions([{ id: 'b', user: 'x', atMs: 5 }], revisions, ours)).toHaveLength(1);
    expect(wrongfulDeletions([{ id: 'b', user: 'x', atMs: 11 }], revisions, ours)).toEqual([]);
    expect(wrongfulDeletions([{ id: 'theirs', user: 'x', atMs: 11 }], revisions, ours)).toHaveLength(1);
  });

  it('an old run that writes after a new one (no fence)', () => {
    const write = (id: string, fence: number, type: 'ADDED' | 'MODIFIED' | 'DELETED' = 'MODIFIED') => ({ id, uid: id, type, fence });
    expect(fenceReversals([write('a', 1), write('b', 2), write('a', 1)])).toHaveLength(1);
    expect(fenceReversals([write('a', 1), write('b', 1), write('a', 2), write('b', 1, 'DELETED')])).toEqual([]);
  });
});
