/** As much of node-forge as is used here. */
declare module 'node-forge' {
  export interface Name {
    readonly shortName: 'CN' | 'OU' | 'O';
    readonly value: string;
    readonly valueTagClass: number;
  }
  export interface PublicKey {
    readonly kind: 'forge public key';
  }
  export interface PrivateKey {
    readonly kind: 'forge private key';
  }
  export interface Certificate {
    publicKey: PublicKey;
    serialNumber: string;
    readonly validity: { notBefore: Date; notAfter: Date };
    setSubject(names: readonly Name[]): void;
    setIssuer(names: readonly unknown[]): void;
    setExtensions(extensions: readonly Readonly<Record<string, unknown>>[]): void;
    sign(key: PrivateKey, digest: unknown): void;
    generateSubjectKeyIdentifier(): { getBytes(): string };
    readonly subject: { readonly attributes: readonly unknown[] };
  }
  const forge: {
    readonly asn1: { readonly Type: { readonly UTF8: number } };
    readonly md: { readonly sha256: { create(): unknown } };
    readonly pki: {
      createCertificate(): Certificate;
      certificateFromPem(pem: string): Certificate;
      certificateToPem(certificate: Certificate): string;
      privateKeyFromPem(pem: string): PrivateKey;
      publicKeyFromPem(pem: string): PublicKey;
    };
  };
  export default forge;
}
