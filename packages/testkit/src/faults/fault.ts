/**
 * What can go wrong, as data: a schedule is a list of these, and can be written down, cut short, and played again.
 * `at` is in virtual milliseconds, `ms` how long it lasts. `which` picks from what there is at that moment.
 */
export type Fault = { readonly at: number } & (
  | { readonly kind: 'kill-coordinator'; readonly down: number; readonly frames?: number }
  /** The other coordinator, where there is one: the first must not notice. */
  | { readonly kind: 'kill-rival'; readonly down: number; readonly frames?: number }
  | { readonly kind: 'kill-guardian'; readonly frames?: number }
  | { readonly kind: 'kill-agent'; readonly node: string; readonly down: number; readonly frames?: number }
  | { readonly kind: 'kill-reaper'; readonly node: string }
  | { readonly kind: 'kill-executor'; readonly node: string; readonly which: number }
  | {
      readonly kind: 'lose-coordinator';
      readonly down: number;
      /** What it sends in its last milliseconds is held back on its way, and comes so long after its end. */
      readonly held?: { readonly before: number; readonly after: number };
    }
  | { readonly kind: 'lose-node'; readonly node: string; readonly down: number }
  | { readonly kind: 'stall-coordinator'; readonly ms: number; readonly first: 'timers' | 'sockets' }
  /** In the turn in which it gives a session up, whenever that is. */
  | { readonly kind: 'stall-when-down'; readonly ms: number; readonly first: 'timers' | 'sockets' }
  | { readonly kind: 'stop-guardian'; readonly ms: number }
  | { readonly kind: 'stop-coordinator-machine'; readonly ms: number }
  | { readonly kind: 'stop-agent'; readonly node: string; readonly ms: number; readonly first: 'timers' | 'sockets' }
  | { readonly kind: 'drain'; readonly node: string; readonly ms: number }
  | { readonly kind: 'reset'; readonly which: number; readonly bytes: number; readonly direction: 'near' | 'far' }
  | { readonly kind: 'half-open'; readonly which: number; readonly told?: 'near' | 'far' }
  | { readonly kind: 'hold'; readonly which: number; readonly direction: 'near' | 'far'; readonly ms: number }
  | { readonly kind: 'clog'; readonly node: string; readonly direction: 'to' | 'from'; readonly ms: number }
  | { readonly kind: 'partition'; readonly node: string; readonly ms: number }
  | {
      readonly kind: 'slow';
      readonly node: string;
      readonly ms: number;
      readonly latency: number;
      readonly bandwidth: number;
    }
  | { readonly kind: 'swizzle'; readonly ms: number; readonly which: number }
  /** Somebody sets the wall clock of a machine (`c1`, `w2`) by so many milliseconds, forwards or back. */
  | { readonly kind: 'jump-wall-clock'; readonly machine: string; readonly by: number }
  /** The store of a node's objects, and the shared one beside the cluster. */
  | { readonly kind: 'store-failing' | 'store-full' | 'store-slow'; readonly node: string; readonly ms: number }
  | { readonly kind: 'store-lost'; readonly node: string }
);

export type FaultKind = Fault['kind'];

/** Every kind, and how often it is chosen where nothing else is said. */
export const faultWeights: Readonly<Record<FaultKind, number>> = {
  'kill-coordinator': 2,
  'kill-rival': 1,
  'kill-guardian': 2,
  'kill-agent': 2,
  'kill-reaper': 0.5,
  'kill-executor': 1.5,
  'lose-coordinator': 1,
  'lose-node': 1,
  'stall-coordinator': 2,
  'stall-when-down': 1,
  'stop-guardian': 1,
  'stop-coordinator-machine': 1,
  'stop-agent': 2,
  drain: 0.5,
  reset: 3,
  'half-open': 1.5,
  hold: 2,
  clog: 2,
  partition: 1.5,
  slow: 1,
  swizzle: 1,
  'jump-wall-clock': 1,
  'store-failing': 0.5,
  'store-full': 0.5,
  'store-slow': 0.5,
  'store-lost': 0.5,
};

export const faultKinds: readonly FaultKind[] = Object.keys(faultWeights) as FaultKind[];

/** A fault of these kinds. */
export type FaultOf<Kind extends FaultKind> = Extract<Fault, { readonly kind: Kind }>;
