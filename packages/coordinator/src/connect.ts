/* oxlint-disable no-restricted-globals -- this shell owns what keeps the process alive */
import { checkTls, systemClock, systemEntropy, wsTransport } from '@muster/rexi';
import { Cluster } from './cluster.ts';
import { spawnGuardian } from './guardian/spawn.ts';
import type { ConnectOptions } from './options.ts';
import { certificates, checkConnect } from './options.ts';

/**
 * Connects to worker nodes. Resolves when `minNodes` are up; the others are dialled until they are.
 *
 * What is under way keeps the process alive: a call, a stream until it has ended, a question, a fetched object, `whenUp`
 * and `close`. An open handle alone does not, so a program ends when it has nothing to do; its guardian then sees to it
 * that nothing of it is left.
 * @throws ClusterError `bad_options`, `not_serializable` (a shard's range), `unreachable`, `unauthorized`, `version_mismatch`, `unavailable`
 */
export async function connect<Jobs = Record<string, never>>(options: ConnectOptions): Promise<Cluster<Jobs>> {
  const { clock = systemClock, entropy = systemEntropy, spawn = spawnGuardian } = checkConnect(options).seams ?? {};
  const { id = 'coordinator' } = options;
  const tls = certificates(options);
  const transport = options.seams?.transport ?? wsTransport({ clock, entropy, tls });
  const hold = keepAlive();
  const release = hold();
  try {
    const { note, closed } = options.seams ?? {};
    if (tls !== undefined) await checkTls(tls, { id, role: 'coordinator' });
    const heard = { ...(note && { note }), ...(closed && { closed }) };
    const cluster = new Cluster<Jobs>(
      { ...options, ...(tls && { tls }) },
      { clock, entropy, transport, spawn, ...heard },
      hold,
    );
    try {
      await cluster.whenUp(options.minNodes ?? 1);
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  } finally {
    release();
  }
}

/** Sockets and guardian never keep the process alive; what is under way does, until its hold is released. */
function keepAlive(): () => () => void {
  let holds = 0;
  let timer: NodeJS.Timeout | undefined;
  return () => {
    holds += 1;
    timer ??= setInterval(() => undefined, 2 ** 30);
    let held = true;
    return () => {
      holds -= held ? 1 : 0;
      held = false;
      if (holds > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  };
}
