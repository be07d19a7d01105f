import { Cluster as Handle } from '@muster/coordinator';
import { localCluster } from './local/local-cluster.ts';

/** A coordinator's handle on its cluster; see `connect`. */
export type Cluster<Jobs = Record<string, never>> = Handle<Jobs>;

/** The same class, so that what `connect` gives is an instance of it; with a cluster inside one command as `local`. */
export const Cluster: typeof Handle & { readonly local: typeof localCluster } = Object.assign(Handle, {
  local: localCluster,
});
