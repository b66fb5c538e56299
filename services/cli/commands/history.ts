import { Command } from 'commander';
import { at, type JsonObject, textAt } from '#core/json.ts';
import { parseRfc3339 } from '#core/time.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { withOutput, withReach } from '#services/cli/commands/options.ts';
import { unanswered } from '#services/cli/failure.ts';
import { discover, findResource, objects, pathOf } from '#services/cli/plane/resources.ts';
import { namespaceOf, withPlane } from '#services/cli/plane/with-plane.ts';
import { ageText } from '#services/cli/print/age.ts';
import { parseOutput, printValue } from '#services/cli/print/output.ts';
import { tableText } from '#services/cli/print/table.ts';

type Options = ReachOptions & Readonly<{ cluster?: string; limit: number; output?: string }>;

export function historyCommand(cli: Cli): Command {
  return withOutput(withReach(new Command('history')))
    .description('every attempt to deliver a definition, newest first: when, where, which revision, who, and what became of it')
    .argument('<kind>')
    .argument('<name>')
    .option('--cluster <name>', 'on one cluster')
    .option('--limit <count>', 'at most so many', limitOf, 20)
    .action(async (kind: string, name: string, options: Options) => {
      const output = parseOutput(options.output);
      await withPlane(cli, options, async (plane) => {
        const resource = findResource(await discover(plane), kind);
        if (resource.kind !== 'Kustomization')
          throw unanswered(`${resource.kind} has no history of deliveries`, { next: `weir events --for ${resource.singular}/${name}` });
        const path = `${pathOf(resource, namespaceOf(plane), name)}/history`;
        const query = { limit: String(options.limit), ...(options.cluster === undefined ? {} : { cluster: options.cluster }) };
        const history = await plane.call({ method: 'GET', path, query });
        const items = objects(at(history, 'items'));
        printValue(
          cli.io,
          output,
          history,
          (wide) => historyTable(cli, items, wide),
          () => items.map((one) => textAt(one, 'id') ?? ''),
        );
        if (items.length === 0) cli.narrate.say('nothing was delivered yet');
        if (textAt(history, 'metadata', 'continue') !== undefined) cli.narrate.say('there is more: add --limit, at most 500');
      });
    });
}

function limitOf(text: string): number {
  const limit = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > 500) throw unanswered(`--limit ${text}: write a number from 1 to 500`);
  return limit;
}

function historyTable(cli: Cli, items: readonly JsonObject[], wide: boolean): string {
  const rows = items.map((one) => [
    timeText(cli, textAt(one, 'time') ?? ''),
    textAt(one, 'cluster') ?? '',
    textAt(one, 'reason') ?? '',
    textAt(one, 'revision') ?? '',
    textAt(one, 'actor') ?? '',
    textAt(one, 'cause') ?? '',
    changesText(objects(at(one, 'objects'))),
    ...(wide ? [`${Number(at(one, 'durationMs') ?? 0)} ms`, textAt(one, 'renderDigest') ?? '', textAt(one, 'message') ?? ''] : []),
  ]);
  const titles = ['when', 'cluster', 'result', 'revision', 'actor', 'cause', 'objects', ...(wide ? ['took', 'digest', 'message'] : [])];
  return tableText(titles, rows);
}

/** `2 created, 1 deleted`; nothing for an attempt that reached no object. */
function changesText(results: readonly JsonObject[]): string {
  const counts = new Map<string, number>();
  for (const one of results) counts.set(textAt(one, 'action') ?? '', (counts.get(textAt(one, 'action') ?? '') ?? 0) + 1);
  return [...counts].map(([action, count]) => `${count} ${action}`).join(', ');
}

/** Relative on a terminal, the time itself elsewhere. */
function timeText(cli: Cli, time: string): string {
  const atMs = parseRfc3339(time);
  return atMs === null || !cli.io.outIsTerminal ? time : `${ageText(cli.clock.nowMs() - atMs)} ago`;
}
