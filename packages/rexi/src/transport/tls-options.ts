/**
 * What a side of TLS links shows and wants to see. Each of the first three is the path of a file with PEM text, or that
 * text itself; files are read anew for every link that is dialled, so that new ones count without a restart.
 */
export interface TlsOptions {
  /** The authority whose certificates are believed, and no others; several, one behind the other, while one replaces another. */
  readonly ca: string;
  /** This side's certificate, whose subject has its id as CN and its role (`worker`, `coordinator`, …) as OU. */
  readonly cert: string;
  /** The key of that certificate; as a file only its owner (and group) may read it. */
  readonly key: string;
  /**
   * Keys of the other side that are let in, beside what their certificates have to say: `sha256/` and the base64 of the
   * SHA-256 of the public key (SPKI), as `muster certs` prints them. Default: any key that the authority has certified.
   */
  readonly pins?: readonly string[];
}
