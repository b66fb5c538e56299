import type { Command } from 'commander';
import { parseDuration } from '#core/duration.ts';
import { unanswered } from '#services/cli/failure.ts';

/** How the plane is reached: on every command that talks to it. */
export function withReach(command: Command): Command {
  return command
    .option('--server <url>', 'the plane (WEIR_SERVER); default: that of the login')
    .option('--ca <file>', 'PEM file of the authority that signed its certificate (WEIR_CA_FILE)')
    .option('--kubeconfig <file>', 'kubeconfig file with a context of the plane')
    .option('--context <name>', 'context of the kubeconfig')
    .option('-n, --namespace <name>', 'namespace of the plane; default: that of the context');
}

export function withOutput(command: Command): Command {
  return command.option('-o, --output <form>', 'table, wide, json, yaml, name or jsonpath=…');
}

export function withWait(command: Command, defaultTimeout = '5m'): Command {
  return command
    .option('--wait [bool]', 'wait until it is done', boolOf('--wait'), true)
    .option('--timeout <duration>', 'how long to wait', durationOf('--timeout'), durationOf('--timeout')(defaultTimeout));
}

/** Reader of a flag that is a switch and may be written `--flag=false`. */
export function boolOf(flag: string): (text: string) => boolean {
  return (text) => {
    if (text === 'true') return true;
    if (text === 'false') return false;
    throw unanswered(`${flag}=${text}: write true or false`);
  };
}

/** Reader of a duration such as `90s` or `5m`; gives milliseconds. */
export function durationOf(flag: string): (text: string) => number {
  return (text) => {
    const ms = parseDuration(text);
    if (ms === null || ms > 24 * 3_600_000) throw unanswered(`${flag} ${text}: write a duration of at most 24h, such as 90s, 5m or 1h30m`);
    return ms;
  };
}
