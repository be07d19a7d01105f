import { createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { pinOf } from '@muster/rexi';
import forge, { type Certificate, type Name } from 'node-forge';

/** From when to when a certificate is valid. */
export interface Validity {
  readonly from: Date;
  readonly until: Date;
}

/** Whom a certificate is for: the names that the handshake compares with what is claimed. */
export interface Holder {
  readonly id: string;
  readonly role: 'worker' | 'coordinator' | 'operator' | 'observer';
  /** Host names and addresses under which it is dialled. */
  readonly hosts?: readonly string[];
}

/** A certificate and its key, as PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

const { pki, md, asn1 } = forge;

/** An authority for tests and small private clusters: its key is as safe as the file it lies in. */
export class Authority implements Issued {
  readonly cert: string;
  readonly key: string;

  /** An authority from its certificate and its key. */
  constructor({ cert, key }: Issued) {
    this.cert = cert;
    this.key = key;
  }

  /** A new one. Its name is like no other's, so that nobody mistakes one for the other. */
  static create(validity: Validity): Authority {
    const key = newKey();
    const name = [attribute('CN', `Muster test authority ${randomBytes(4).toString('hex')}`)];
    const certificate = blank(key, validity);
    certificate.setSubject(name);
    certificate.setIssuer(name);
    certificate.setExtensions([
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
      { name: 'subjectKeyIdentifier' },
    ]);
    return new Authority({ cert: signed(certificate, key), key });
  }

  /** When its own certificate ends, and with it all that it has issued. */
  get until(): Date {
    return pki.certificateFromPem(this.cert).validity.notAfter;
  }

  /** A certificate for `holder`, for `key` or a new one. Only a worker's is fit to listen with. */
  issue(holder: Holder, validity: Validity, key: string = newKey()): Issued {
    const own = pki.certificateFromPem(this.cert);
    const certificate = blank(key, validity);
    certificate.setSubject([attribute('CN', holder.id), attribute('OU', holder.role)]);
    certificate.setIssuer(own.subject.attributes);
    const hosts = holder.hosts ?? [];
    certificate.setExtensions([
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', clientAuth: true, ...(holder.role === 'worker' && { serverAuth: true }) },
      { name: 'authorityKeyIdentifier', keyIdentifier: own.generateSubjectKeyIdentifier().getBytes() },
      ...(hosts.length > 0 ? [{ name: 'subjectAltName', altNames: hosts.map(altName) }] : []),
    ]);
    return { cert: signed(certificate, this.key), key };
  }
}

/** What the other side may pin: the SPKI of the certificate's key. */
export function pinOfCertificate(cert: string): string {
  return pinOf(new X509Certificate(cert).publicKey);
}

/** RSA: the one kind of key that the library signs certificates with. */
function newKey(): string {
  const encoding = { type: 'pkcs8', format: 'pem' } as const;
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(encoding).toString();
}

function blank(key: string, { from, until }: Validity): Certificate {
  const certificate = pki.createCertificate();
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
  certificate.publicKey = pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`; // Positive, and nobody else's.
  certificate.validity.notBefore = from;
  certificate.validity.notAfter = until;
  return certificate;
}

function signed(certificate: Certificate, key: string): string {
  certificate.sign(pki.privateKeyFromPem(key), md.sha256.create());
  return pki.certificateToPem(certificate).replaceAll('\r\n', '\n');
}

function attribute(shortName: Name['shortName'], value: string): Name {
  return { shortName, value, valueTagClass: asn1.Type.UTF8 };
}

function altName(host: string): object {
  return isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host };
}
