import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';

/** How often is looked, and how long a task may wait before it counts as forgotten. */
const EVERY_MS = 5_000;
const FORGOTTEN_AFTER = '5 seconds';
/** How many tasks run at once unless it is set: while there are so many, others wait for good reason. */
const AT_ONCE = 10;

/**
 * Starts tasks that the worker has overlooked. *Measured* with scaffolder-backend 4.3.0: a task that is added while the
 * worker looks for one, and finds none, waits until another is added, which may be never. So what has waited for a while
 * is made to look interrupted, and the recovery of tasks, which must be enabled, starts it.
 */
export default createBackendModule({
  pluginId: 'scaffolder',
  moduleId: 'forgotten-tasks',
  register({ registerInit }) {
    registerInit({
      deps: { database: coreServices.database, lifecycle: coreServices.lifecycle, logger: coreServices.logger },
      async init({ database, lifecycle, logger }) {
        const db = await database.getClient();

        async function look() {
          const found = await db('tasks')
            .where({ status: 'open' })
            .whereRaw(`created_at < now() - interval '${FORGOTTEN_AFTER}'`)
            .whereRaw('(select count(*) from tasks where status = ? and last_heartbeat_at > now() - ?::interval) < ?', [
              'processing',
              '15 seconds',
              AT_ONCE,
            ])
            .update({ status: 'processing', last_heartbeat_at: db.raw(`now() - interval '1 hour'`) });
          if (found > 0) {
            logger.warn(`The worker has overlooked ${found} task(s); they will be started`);
          }
        }

        let timer: NodeJS.Timeout | undefined;
        lifecycle.addStartupHook(() => {
          timer = setInterval(() => look().catch(error => logger.warn(`Tasks could not be looked at: ${error}`)), EVERY_MS);
        });
        lifecycle.addShutdownHook(() => clearInterval(timer));
      },
    });
  },
});
