import { expect, test } from 'vitest';
import { readEnvironment } from './environment.ts';

const home = { HOME: '/home/me' };

test('folders follow XDG, and the kubeconfig KUBECONFIG', () => {
  expect(readEnvironment(home, 'linux')).toMatchObject({
    configDir: '/home/me/.config/weir',
    stateDir: '/home/me/.local/state/weir',
    kubeconfigFiles: ['/home/me/.kube/config'],
    planeKubeconfig: null,
  });
  const moved = { ...home, XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s', KUBECONFIG: '/a::/b', WEIR_KUBECONFIG: '/p', WEIR_TOKEN: '' };
  expect(readEnvironment(moved, 'linux')).toMatchObject({
    configDir: '/c/weir',
    stateDir: '/s/weir',
    kubeconfigFiles: ['/a', '/b'],
    planeKubeconfig: '/p',
    token: null,
  });
});

test.each([
  ['a desktop', { DISPLAY: ':0' }, 'linux', false],
  ['Wayland', { WAYLAND_DISPLAY: 'wayland-0' }, 'linux', false],
  ['a server', {}, 'linux', true],
  ['ssh, even with a forwarded display', { DISPLAY: 'localhost:10.0', SSH_CONNECTION: '1 2 3 4' }, 'linux', true],
  ['a Mac', {}, 'darwin', false],
  ['a Mac over ssh', { SSH_TTY: '/dev/ttys0' }, 'darwin', true],
] as const)('C1: on %s the login chooses by itself', (_name, variables, platform, headless) => {
  expect(readEnvironment({ ...home, ...variables }, platform).headless).toBe(headless);
});

test.each([
  [{ NO_COLOR: '1' }, true, false],
  [{ TERM: 'dumb' }, true, false],
  [{ CLICOLOR_FORCE: '1' }, false, true],
  [{ CLICOLOR_FORCE: '1', NO_COLOR: '1' }, true, false],
  [{ CLICOLOR_FORCE: '0' }, false, false],
])('C7: %j decides about colours', (variables, noColour, forceColour) => {
  expect(readEnvironment({ ...home, ...variables }, 'linux')).toMatchObject({ noColour, forceColour });
});
