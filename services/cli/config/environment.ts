import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the command takes from its surroundings, read once. */
export type Environment = Readonly<{
  home: string;
  /** Configuration without secrets. */
  configDir: string;
  /** Tokens, where there is no keychain. */
  stateDir: string;
  token: string | null;
  server: string | null;
  caFile: string | null;
  /** WEIR_KUBECONFIG: the kubeconfig of the plane, where KUBECONFIG names that of a cluster. */
  planeKubeconfig: string | null;
  /** Files of KUBECONFIG; the first is written to. */
  kubeconfigFiles: readonly string[];
  noColour: boolean;
  forceColour: boolean;
  /** No display, or reached over ssh: a browser would open in the wrong place. */
  headless: boolean;
  browser: string | null;
  path: string;
  dbusAddress: string | null;
}>;

type Variables = Readonly<Record<string, string | undefined>>;

/** Reads the variables that the command knows; an empty one counts as not set. Pure but for the home folder. */
export function readEnvironment(variables: Variables, platform: NodeJS.Platform): Environment {
  const value = (name: string): string | null => (variables[name] === undefined || variables[name] === '' ? null : variables[name]);
  const home = value('HOME') ?? homedir();
  const forceColour = value('CLICOLOR_FORCE') !== null && value('CLICOLOR_FORCE') !== '0' && value('NO_COLOR') === null;
  return Object.freeze({
    home,
    configDir: join(value('XDG_CONFIG_HOME') ?? join(home, '.config'), 'weir'),
    stateDir: join(value('XDG_STATE_HOME') ?? join(home, '.local', 'state'), 'weir'),
    token: value('WEIR_TOKEN'),
    server: value('WEIR_SERVER'),
    caFile: value('WEIR_CA_FILE'),
    planeKubeconfig: value('WEIR_KUBECONFIG'),
    kubeconfigFiles: (value('KUBECONFIG') ?? join(home, '.kube', 'config'))
      .split(platform === 'win32' ? ';' : ':')
      .filter((file) => file !== ''),
    noColour: value('NO_COLOR') !== null || value('TERM') === 'dumb',
    forceColour,
    headless: isHeadless(variables, platform),
    browser: value('BROWSER'),
    path: value('PATH') ?? '',
    dbusAddress: value('DBUS_SESSION_BUS_ADDRESS'),
  });
}

function isHeadless(variables: Variables, platform: NodeJS.Platform): boolean {
  if ((variables['SSH_CONNECTION'] ?? variables['SSH_TTY'] ?? '') !== '') return true;
  if (platform !== 'linux') return false;
  return (variables['DISPLAY'] ?? '') === '' && (variables['WAYLAND_DISPLAY'] ?? '') === '';
}
