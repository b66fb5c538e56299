import { parentPort } from 'node:worker_threads';
import { doTask } from './tasks.ts';
import type { Task } from './tasks.ts';

parentPort?.once('message', (task: Task) => {
  parentPort?.postMessage(doTask(task));
  parentPort?.close();
});
