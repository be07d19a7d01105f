import { ClusterError } from '../errors.ts';

/** Nothing answered in time. */
export function dialTimeout(address: string, timeout: number): ClusterError {
  const text = `${address} has not answered within ${timeout} ms; is the node up, and no firewall in between?`;
  return new ClusterError('unreachable', text, { detail: 'timeout' });
}

/** The caller took the dial back; `reason` is the signal's. */
export function dialCancelled(address: string, reason: unknown): ClusterError {
  return new ClusterError('cancelled', `The dial to ${address} was cancelled.`, { cause: reason });
}

/** The operating system, or a resolver, could not connect. */
export function dialFailed(address: string, cause: Error & { code?: string }): ClusterError {
  const detail = cause.code ?? cause.message;
  return new ClusterError('unreachable', `${address} cannot be reached: ${advice(detail)}`, { detail, cause });
}

function advice(code: string): string {
  if (code === 'ECONNREFUSED') return 'nothing listens there (ECONNREFUSED); start the node, or check host and port.';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `the host name is not known (${code}); check it, or the resolver.`;
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'EPROTO')
    return `no TLS is spoken there (${code}); dial ws://, or give the node certificates.`;
  if (code.startsWith('HPE_')) return `it does not speak HTTP (${code}); if it speaks TLS, dial wss://.`;
  if (code === 'ECONNRESET') return 'it hung up (ECONNRESET); it may be starting, stopping or full. Try again.';
  return `${code}.`;
}

/** The address is taken, or is not this machine's. */
export function listenFailed(address: string, cause: Error & { code?: string }): ClusterError {
  const detail = cause.code ?? cause.message;
  const help =
    detail === 'EADDRINUSE' ? 'another process listens there; stop it, or choose another port.' : `${detail}.`;
  return new ClusterError('bad_options', `Cannot listen at ${address}: ${help}`, { detail, cause });
}
