import { formatRoleKey } from '@muster/rexi';
import type { OperatingRole } from '@muster/coordinator';
import { bad, read, wrong } from './arguments.ts';
import type { Command } from './command.ts';
import { clusterSecret } from './looking.ts';

const leastSecret = 16;

export const key: Command = {
  says: 'prints the key of one role, for somebody who is not to have the secret',
  usage: `muster key: prints the key of one role. With it one is that role, and nothing else: with an observer's nobody can
kill a job, nor start one. It is a secret too; keep it in a file of mode 0600.

  (umask 077; muster key --role observer --secret FILE > observer.key)

  --role ROLE          observer or operator
  --secret FILE        file (mode 0600) with the cluster secret; - reads it from standard input
  --help`,
  // oxlint-disable-next-line require-await -- all commands are asynchronous
  async run(argv, terminal) {
    const args = read(argv, { role: 'text', secret: 'text', help: 'switch' });
    const role = args.need('role');
    if (!isRole(role)) throw wrong('role', role, 'it is observer or operator');
    const secret = Buffer.from(clusterSecret(args.need('secret')).trim());
    if (secret.length < leastSecret) {
      throw bad(`--secret: The cluster secret has ${secret.length} bytes; it is at least ${leastSecret}.`);
    }
    terminal.out(`${formatRoleKey(secret, role)}\n`);
    return 0;
  },
};

function isRole(role: string): role is OperatingRole {
  return role === 'observer' || role === 'operator';
}
