import type { Clock, Constants, Credential, Entropy, TlsOptions, Transport } from '@muster/rexi';
import { ClusterError, constants as tableOf, parseRoleKey } from '@muster/rexi';
import { certificates, checkNodes, secretBytes } from '../options.ts';
import type { Rules } from '../rules.ts';
import { anObject, anything, aText, checkOptions, oneOf } from '../rules.ts';

/** An `observer` can change nothing. */
export type OperatingRole = 'operator' | 'observer';

export interface OperateOptions {
  /** Addresses of worker nodes, e.g. `ws://127.0.0.1:7101`. */
  readonly nodes: readonly string[];
  /** For `wss://`: the authority that is believed, and a certificate whose subject has `id` as its CN and `role` as its OU. */
  readonly tls?: TlsOptions;
  /** The cluster secret, at least 16 bytes; a string is taken as UTF-8 without surrounding white space. */
  readonly secret?: string | Uint8Array;
  /** The key of one role, as `muster key` prints it, instead of the secret. */
  readonly roleKey?: string;
  /** Default: that of the key; with a secret `observer`, which can change nothing. */
  readonly role?: OperatingRole;
  /** Who this is, as nodes tell it of what an operator has done. Default: the role. */
  readonly id?: string;
  /** Milliseconds for an answer. Default: `connect` (5000). */
  readonly timeout?: number;
  /** Values of the protocol's table that differ from its defaults. */
  readonly constants?: Partial<Constants>;
  /** For tests and simulation. */
  readonly seams?: Partial<OperateSeams>;
}

export interface OperateSeams {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly transport: Transport;
}

/** The options, with nothing left to default. */
export interface Operating {
  readonly nodes: readonly string[];
  readonly role: OperatingRole;
  readonly credential: Credential;
  readonly id: string;
  readonly timeout: number;
  readonly constants: Constants;
  readonly tls: TlsOptions | undefined;
}

const rules: Rules<OperateOptions> = {
  nodes: anything,
  tls: anObject,
  secret: anything,
  roleKey: aText,
  role: oneOf('operator', 'observer'),
  id: aText,
  timeout: { holds: (value) => Number.isInteger(value) && Number(value) > 0, is: 'a whole number of milliseconds' },
  constants: anObject,
  seams: anObject,
};

/** @throws ClusterError `bad_options` */
export function operating(options: OperateOptions): Operating {
  checkOptions(options, rules, { of: 'operate' });
  const constants = tableOf(options.constants);
  const { role, credential } = proving(options);
  const { id = role, timeout = constants.connect } = options;
  return {
    nodes: checkNodes(options.nodes).map(([address = '']) => address),
    role,
    credential,
    id,
    timeout,
    constants,
    tls: certificates(options),
  };
}

function proving({ secret, roleKey, role }: OperateOptions): Pick<Operating, 'role' | 'credential'> {
  if (roleKey === undefined) return { role: role ?? 'observer', credential: secretBytes(secret) };
  if (secret !== undefined) throw bad('Give the cluster secret, or the key of one role: one of the two.');
  const key = parseRoleKey(roleKey);
  const own = key.role as OperatingRole;
  if (role !== undefined && role !== own) {
    throw bad(`This is the key of an ${own}, with which nobody is an ${role}; ask for the key of that role.`);
  }
  return { role: own, credential: key };
}

function bad(message: string): ClusterError {
  return new ClusterError('bad_options', message);
}
