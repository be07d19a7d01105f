// @ts-check
import { connect } from '@muster/coordinator';

/** @param {{ addresses: string[], secret: string, shards?: readonly import('@muster/coordinator').Shard[] }} options */
export function connectTo({ addresses, secret, shards = [] }) {
  return connect({ nodes: addresses, secret, minNodes: addresses.length, shards });
}
