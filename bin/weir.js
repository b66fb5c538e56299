#!/usr/bin/env node
// Starts the `weir` command with the Node.js that this checkout pins, whatever Node is in PATH.
import { join } from 'node:path';
import { tooOld } from './node-version.js';
import { pinnedNode, root } from './pinned-node.js';
import { startProgram } from './start-program.js';

const node = pinnedNode();
if (node === undefined) {
  process.stderr.write(tooOld(process.versions.node));
  process.exitCode = 1;
} else {
  startProgram(node, [join(root, 'services', 'cli', 'main.ts'), ...process.argv.slice(2)]);
}
