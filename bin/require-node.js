// Loaded before every npm script (`node --import ./bin/require-node.js …`): an old Node gets a sentence, not a syntax error.
import { isEnough, tooOld } from './node-version.js';

if (!isEnough(process.versions.node)) {
  process.stderr.write(tooOld(process.versions.node));
  process.exit(1);
}

// A child that inherits our options starts elsewhere and would look for this file below its own folder.
process.execArgv = process.execArgv.filter((one, at, all) => !isOurs(one) && !(one === '--import' && isOurs(all[at + 1] ?? '')));

/** @param {string} option */
function isOurs(option) {
  return option.endsWith('bin/require-node.js');
}
