import { Command } from 'commander';
import { type JsonObject, stringifyJson, textAt } from '#core/json.ts';
import { parseRfc3339 } from '#core/time.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { withOutput, withReach } from '#services/cli/commands/options.ts';
import { discover, findResource, listAll } from '#services/cli/plane/resources.ts';
import { namespaceOf, withPlane } from '#services/cli/plane/with-plane.ts';
import { ageText } from '#services/cli/print/age.ts';
import { listOf, parseOutput, printValue } from '#services/cli/print/output.ts';
import { tableText } from '#services/cli/print/table.ts';

type Options = ReachOptions & Readonly<{ for?: string; allNamespaces?: boolean; output?: string }>;

export function eventsCommand(cli: Cli): Command {
  return withOutput(withReach(new Command('events')))
    .description('what happened lately, oldest first')
    .option('--for <kind/name>', 'about one object')
    .option('-A, --all-namespaces', 'in all your namespaces')
    .action(async (options: Options) => {
      const output = parseOutput(options.output);
      await withPlane(cli, options, async (plane) => {
        const fieldSelector =
          options.for === undefined ? null : await selectorFor(options.for, async (word) => findResource(await discover(plane), word).kind);
        const path =
          options.allNamespaces === true ? '/api/v1/events' : `/api/v1/namespaces/${encodeURIComponent(namespaceOf(plane))}/events`;
        const { items } = await listAll(plane, path, fieldSelector === null ? {} : { fieldSelector });
        const events = items.toSorted((a, b) => timeOf(a) - timeOf(b));
        printValue(cli.io, output, listOf(events), (wide) => eventTable(cli, events, wide, options.allNamespaces === true));
        if (events.length === 0) cli.narrate.say('no events; they are kept for a day');
      });
    });
}

async function selectorFor(about: string, kindOf: (word: string) => Promise<string>): Promise<string> {
  const [word = '', name] = about.split('/', 2);
  return `involvedObject.kind=${await kindOf(word)}${name === undefined ? '' : `,involvedObject.name=${name}`}`;
}

function eventTable(cli: Cli, events: readonly JsonObject[], wide: boolean, withNamespace: boolean): string {
  const rows = events.map((event) => [
    ...(withNamespace ? [textAt(event, 'metadata', 'namespace') ?? ''] : []),
    timeText(cli, event),
    textAt(event, 'type') ?? '',
    textAt(event, 'reason') ?? '',
    `${textAt(event, 'involvedObject', 'kind') ?? ''}/${textAt(event, 'involvedObject', 'name') ?? ''}`,
    ...(wide
      ? [textAt(event, 'source', 'component') ?? textAt(event, 'reportingComponent') ?? '', stringifyJson(event['count'] ?? 1)]
      : []),
    textAt(event, 'message') ?? '',
  ]);
  return tableText(
    [...(withNamespace ? ['namespace'] : []), 'last seen', 'type', 'reason', 'object', ...(wide ? ['source', 'count'] : []), 'message'],
    rows,
  );
}

/** Relative on a terminal, the time itself elsewhere. */
function timeText(cli: Cli, event: JsonObject): string {
  const time = timeOf(event);
  if (time === 0) return '';
  return cli.io.outIsTerminal ? ageText(cli.clock.nowMs() - time) : new Date(time).toISOString();
}

function timeOf(event: JsonObject): number {
  return (
    parseRfc3339(textAt(event, 'lastTimestamp') ?? textAt(event, 'eventTime') ?? textAt(event, 'metadata', 'creationTimestamp') ?? '') ?? 0
  );
}
