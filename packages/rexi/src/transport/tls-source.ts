import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { ClusterError } from '../errors.ts';
import { certifiedRole, named, type Certificate } from '../handshake/certificate.ts';
import type { Role } from '../seams.ts';
import type { TlsOptions } from './tls-options.ts';

/** Certificates as they were read at one time, and fit for use. */
export interface TlsMaterial {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Whom the own certificate names. */
  readonly own: Pick<Certificate, 'id' | 'roles'>;
  /** For dialling. */
  readonly context: SecureContext;
}

/** Who shows a certificate. */
export interface Holder {
  readonly id: string;
  readonly role: Role;
}

/** Reads the certificates of one side, and again when it is asked to. */
export class TlsSource {
  /** The pinned keys; undefined: any. */
  readonly pins: ReadonlySet<string> | undefined;
  readonly #options: TlsOptions;
  #last: TlsMaterial | undefined;

  /** @throws ClusterError `bad_options` for a pin that is none. */
  constructor(options: TlsOptions) {
    this.#options = options;
    for (const pin of options.pins ?? []) checkPin(pin);
    this.pins = options.pins && new Set(options.pins);
  }

  /**
   * The certificates as they are now, for somebody whom they have to name.
   * @throws ClusterError `bad_options` with `tlsCa`, `tlsCert` or `tlsKey` as its detail.
   */
  async read(who: Holder): Promise<TlsMaterial> {
    const ca = await text('tlsCa', this.#options.ca);
    const cert = await text('tlsCert', this.#options.cert);
    const key = await text('tlsKey', this.#options.key);
    const last = this.#last;
    const same = last?.ca === ca && last.cert === cert && last.key === key;
    const found = same ? last : material(ca, cert, key);
    checkOwn(found, who);
    return (this.#last = found);
  }

  /** The same; while they are being replaced and cannot be used, those that were read last. */
  async current(who: Holder): Promise<TlsMaterial> {
    try {
      return await this.read(who);
    } catch (error) {
      if (this.#last === undefined) throw error;
      return this.#last;
    }
  }
}

/** @throws ClusterError `bad_options` when the certificate names somebody else. */
function checkOwn({ own }: TlsMaterial, { id, role }: Holder): void {
  const wanted = certifiedRole(role);
  if (own.id === id && own.roles.includes(wanted)) return;
  const self = named({ id, roles: [wanted] });
  throw bad('tlsCert', `The certificate is for ${named(own)}, and this is ${self}: use one whose subject names that.`);
}

/** Whom a certificate names. One with several common names names nobody. */
export function namesOf(certificate: X509Certificate): Pick<Certificate, 'id' | 'roles'> {
  const { CN, OU } = (certificate.toLegacyObject().subject ?? {}) as { CN?: string | string[]; OU?: string | string[] };
  return { id: typeof CN === 'string' ? CN : '', roles: OU === undefined ? [] : [OU].flat() };
}

function material(ca: string, cert: string, key: string): TlsMaterial {
  parse('tlsCa', 'the certificate of an authority', () => new X509Certificate(ca));
  const own = parse('tlsCert', 'a certificate', () => new X509Certificate(cert));
  const ownKey = parse('tlsKey', 'a private key without a passphrase', () => createPrivateKey(key));
  if (!own.checkPrivateKey(ownKey))
    throw bad('tlsKey', 'The key is not the one of the certificate; give both of one pair.');
  const context = parse('tlsCert', 'a certificate that TLS 1.3 can use', () =>
    createSecureContext({ ca, cert, key, ...onlyTls13 }),
  );
  return { ca, cert, key, own: namesOf(own), context };
}

/** Older versions do not hide certificates, and their exporter binds less. */
export const onlyTls13 = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;

async function text(option: string, given: string): Promise<string> {
  if (given.includes('-----BEGIN ')) return given;
  try {
    if (option === 'tlsKey' && ((await stat(given)).mode & 0o007) !== 0) {
      throw bad(option, `Everybody may read the key in ${given}; say: chmod 600 ${given}`);
    }
    return await readFile(given, 'utf8');
  } catch (error) {
    if (error instanceof ClusterError) throw error;
    throw bad(option, `The file "${given}" cannot be read: ${(error as Error).message}`, error);
  }
}

function parse<T>(option: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw bad(option, `There is not ${what} in it, as PEM: ${(error as Error).message}`, error);
  }
}

function checkPin(pin: string): void {
  if (/^sha256\/[A-Za-z0-9+/]{43}=$/.test(pin)) return;
  throw bad(
    'tlsPin',
    `${JSON.stringify(pin)} is no pin; one is "sha256/" and 44 characters, as muster certs prints them.`,
  );
}

function bad(option: string, message: string, cause?: unknown): ClusterError {
  return new ClusterError('bad_options', message, { detail: option, ...(cause === undefined ? {} : { cause }) });
}
