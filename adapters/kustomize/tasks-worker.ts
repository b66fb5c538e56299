import { parentPort } from 'node:worker_threads';
import type { Task } from './tasks.ts';
import { doTask } from './tasks.ts';

parentPort?.once('message', (task: Task) => {
  parentPort?.postMessage(doTask(task));
  parentPort?.close();
});
