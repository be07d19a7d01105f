import type { Clock, Entropy, Identity, Role } from '../seams.ts';
import { normalAuthority } from './authority.ts';
import { certificateFlaw, certifiedRole, named, plain, type Certificate, type Underlay } from './certificate.ts';
import { everyRole, readClaim, writeChallenge, writeEvidence, type Claim } from './claim.ts';
import { evidence, flaw } from './evidence.ts';
import { keysOf } from './identity.ts';
import { Nonces } from './nonces.ts';
import { subprotocol, type Transcript } from './transcript.ts';
import { disproved, refused, unspoken, type Refused, type Verdict } from './verdict.ts';

/** The headers of an upgrade request that decide about it; undefined where it has none. */
export interface UpgradeRequest {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** `Sec-WebSocket-Protocol`, as it came. */
  readonly protocols: string | undefined;
  readonly authorization: string | undefined;
  /** The connection that it came over. Default: one without TLS. */
  readonly underlay?: Underlay;
}

export interface GateOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly identity: Identity;
  /** The cluster secret. */
  readonly secret: Uint8Array;
  /** The names under which this listener is reached, in the form of `authoritySet`. Asked at every request. */
  readonly authorities: () => ReadonlySet<string>;
  /** Origins that are let in. Default: none; a request without an `Origin` is no browser's and may pass. */
  readonly origins?: readonly string[] | undefined;
  /** Roles that are let in. Default: all but `worker`. */
  readonly roles?: readonly Role[] | undefined;
  /** Milliseconds in which a nonce must come back. Default 5000. */
  readonly nonceLifetime?: number | undefined;
  /** Used nonces that are remembered; more links than this within their lifetime are told to wait. Default 4096. */
  readonly usedNonces?: number | undefined;
}

const defaultRoles: readonly Role[] = everyRole.filter((role) => role !== 'worker');

/**
 * The listener's side of the handshake: decides from the headers of a request who may come in. Knows no sockets.
 *
 *     client                                              listener
 *       | -- GET, Upgrade, rexi.1 ------------------------> |
 *       | <- 401, WWW-Authenticate: id, incarnation, nonce - |
 *       | -- GET, Upgrade, rexi.1, Authorization ----------> |  judges
 *       | <- 101, Rexi-Proof ------------------------------- |
 *  verifies, and only then reads frames
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #nonces: Nonces;

  constructor(options: GateOptions) {
    this.#options = options;
    const { clock, entropy, nonceLifetime: lifetime, usedNonces: most } = options;
    this.#nonces = new Nonces({ clock, entropy, lifetime, most });
  }

  /** Used nonces that are remembered. */
  get remembered(): number {
    return this.#nonces.remembered;
  }

  /** Judges one request. Only an accepted one leaves a trace: its nonce is used. */
  judge(request: UpgradeRequest): Verdict {
    const unfit = this.#unfit(request);
    if (unfit !== undefined) return unfit;
    if (request.authorization === undefined) return this.#challenge();
    const { underlay = plain } = request;
    const claim = readClaim(request.authorization, this.#options.identity, underlay.binding);
    if (claim === undefined) return refused('malformed', `The Authorization header is not one of ${subprotocol}.`);
    return this.#doubt(claim, underlay) ?? this.#accept(claim.about);
  }

  /** What is asked of every request, with or without `Authorization`. */
  #unfit({ protocols, origin, host, underlay = plain }: UpgradeRequest): Refused | undefined {
    // Whoever has no certificate that holds learns nothing but that.
    const { flaw } = underlay.certificate ?? {};
    if (flaw !== undefined) return disproved(flaw);
    const offered = (protocols ?? '').split(',', 16).map((name) => name.trim());
    if (!offered.includes(subprotocol)) return unspoken(offered);
    if (origin !== undefined && !this.#options.origins?.includes(origin)) {
      return refused('origin', `The Origin "${origin}" is not let in; it would have to be allowed by name.`);
    }
    return this.#misnamed(normalAuthority(host, underlay.certificate ? 'wss' : 'ws') ?? '');
  }

  /** From the cheapest check to the dearest. */
  #doubt({ about, shown }: Claim, { certificate }: Underlay): Refused | undefined {
    const misnamed = this.#misnamed(about.authority);
    if (misnamed !== undefined) return misnamed;
    const roles = this.#options.roles ?? defaultRoles;
    if (!roles.includes(about.role)) return refused('role', `This listener does not take the role "${about.role}".`);
    const uncertified = certificate && misused(certificate, about);
    if (uncertified !== undefined) return uncertified;
    const wrong =
      this.#nonces.flaw(about.serverNonce) ??
      flaw('client', about, this.#options.secret, shown, keysOf(this.#options.entropy));
    return wrong && disproved(wrong);
  }

  #misnamed(name: string): Refused | undefined {
    const known = this.#options.authorities();
    if (known.has(name)) return undefined;
    return refused(
      'authority',
      `This listener is not "${name}" but ${[...known].join(', ')}; have it advertise the name.`,
    );
  }

  #accept(about: Transcript): Verdict {
    const { secret, identity, entropy } = this.#options;
    this.#nonces.use(about.serverNonce);
    const peer = { role: about.role, id: about.clientId, incarnation: about.clientIncarnation };
    const proof = writeEvidence(evidence('server', about, secret, identity.seed, keysOf(entropy)));
    return { kind: 'accepted', peer, headers: { 'Rexi-Proof': proof } };
  }

  #challenge(): Refused {
    const { id, incarnation } = this.#options.identity;
    const challenge = writeChallenge({
      serverId: id,
      serverIncarnation: incarnation,
      serverNonce: this.#nonces.issue(),
    });
    const text = 'Prove that you know the secret of this cluster.';
    return { kind: 'challenge', status: 401, headers: { 'WWW-Authenticate': challenge }, text };
  }
}

/** The refusal of a certificate that is good, and not for what its holder claims to be. */
function misused(certificate: Certificate, { clientId: id, role }: Transcript): Refused | undefined {
  const wrong = certificateFlaw(certificate, { id, role });
  const wanted = named({ id, roles: [certifiedRole(role)] });
  return wrong && disproved(wrong, `It is for ${named(certificate)}; use one for ${wanted}.`);
}
