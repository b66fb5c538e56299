import { libraryHome } from './library-home.ts';
import { noAmbientTime } from './no-ambient-time.ts';
import { noBarrel } from './no-barrel.ts';
import { noDynamicRegexp } from './no-dynamic-regexp.ts';
import { noModuleState } from './no-module-state.ts';
import { noProcessEnv } from './no-process-env.ts';
import { noShell } from './no-shell.ts';
import { staticLogMessage } from './static-log-message.ts';
import { txAwaitOnly } from './tx-await-only.ts';

/** Weir's own lint rules, loaded by oxlint (`jsPlugins` in .oxlintrc.json); where each rule holds is said there. */
const plugin = {
  meta: { name: 'weir' },
  rules: {
    'library-home': libraryHome,
    'no-ambient-time': noAmbientTime,
    'no-barrel': noBarrel,
    'no-dynamic-regexp': noDynamicRegexp,
    'no-module-state': noModuleState,
    'no-process-env': noProcessEnv,
    'no-shell': noShell,
    'static-log-message': staticLogMessage,
    'tx-await-only': txAwaitOnly,
  },
};

export default plugin;
