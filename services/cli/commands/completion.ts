import { Argument, Command } from 'commander';
import { textAt } from '#core/json.ts';
import type { Cli } from '#services/cli/cli.ts';
import { discover, findResource, listAll, pathOf } from '#services/cli/plane/resources.ts';
import { withPlane } from '#services/cli/plane/with-plane.ts';
import { oneLine } from '#services/cli/term/strip.ts';

const shells = Object.freeze({
  bash: `_weir() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(weir __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _weir weir
`,
  zsh: `#compdef weir
_weir() {
  local -a found
  found=("\${(@f)$(weir __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found
}
compdef _weir weir
`,
  fish: `complete -c weir -f -a '(weir __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
  powershell: `Register-ArgumentCompleter -Native -CommandName weir -ScriptBlock {
  param($word, $ast, $position)
  $words = @($ast.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  if ($word -eq '') { $words += '' }
  weir __complete -- @words 2>$null | Where-Object { $_ -like "$word*" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
}
`,
});
type Shell = keyof typeof shells;
const names: readonly string[] = Object.freeze(Object.keys(shells));
const timeoutMs = 1_000;
const maxNames = 200;

export function completionCommand(cli: Cli): Command {
  return new Command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>').choices(names))
    .action((shell: Shell) => cli.io.out(shells[shell]));
}

/** Called by those scripts: words for the last one, a line each. Silent when the plane does not answer within a second. */
export function completeCommand(cli: Cli, program: () => Command): Command {
  return new Command('__complete')
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words: readonly string[]) => {
      const last = words.at(-1) ?? '';
      const found = [...staticWords(program(), words.slice(0, -1)), ...(await liveWords(cli, words))].filter((word) =>
        word.startsWith(last),
      );
      cli.io.out(found.map((word) => `${oneLine(word)}\n`).join(''));
    });
}

/** Subcommands, and options once a dash is there. */
function staticWords(program: Command, before: readonly string[]): readonly string[] {
  let command = program;
  for (const word of before) command = command.commands.find((one) => one.name() === word) ?? command;
  const children = command.commands.map((one) => one.name()).filter((name) => !name.startsWith('_'));
  return [...children, ...command.options.flatMap((option) => (option.long === undefined ? [] : [option.long]))];
}

const typed: readonly string[] = Object.freeze(['get', 'delete', 'reconcile', 'suspend', 'resume', 'tree', 'approve']);

/** Types after a verb, names after a type. */
async function liveWords(cli: Cli, words: readonly string[]): Promise<readonly string[]> {
  const [verb = '', type] = words;
  if (!typed.includes(verb) || (words.at(-1) ?? '').startsWith('-')) return [];
  const limited = { ...cli, signal: AbortSignal.any([cli.signal, AbortSignal.timeout(timeoutMs)]) };
  try {
    return await withPlane(limited, {}, async (plane) => {
      const served = await discover(plane);
      if (words.length <= 2 || type === undefined) return served.map((one) => one.plural);
      const resource = findResource(served, type);
      const { items } = await listAll(
        plane,
        pathOf(resource, resource.namespaced ? plane.namespace : null),
        { limit: String(maxNames) },
        maxNames * 5,
      );
      return items.map((one) => textAt(one, 'metadata', 'name') ?? '');
    });
  } catch {
    // A person is typing: no plane, no login or no time gives no words, and no noise (cli-console 1.8).
    return [];
  }
}
