import { openQueues } from '#adapters/redis/queue.ts';
import { silentLog } from '#core/log.ts';

/** A worker process that takes jobs and never ends one: to be killed while it holds them. Arguments: Redis' URL and the lock in ms. */
const [url = '', lockMs = ''] = process.argv.slice(2);
const queues = await openQueues({ on: 'redis', url, log: silentLog, lockMs: Number(lockMs) });
queues.work('kustomize', {
  concurrency: 1,
  handle: () => {
    process.stdout.write('taken\n');
    return new Promise(() => undefined);
  },
});
