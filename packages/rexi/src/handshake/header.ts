/** The authentication scheme in `Authorization`, `WWW-Authenticate` and `Rexi-Proof`. */
export const scheme = 'Rexi';

/** Longest header value that is looked at, in bytes. A well-made one has about 900 with the longest ids. */
export const headerBytes = 2_048;

const pair = /^([a-z-]{1,24})="([^"]*)"$/;

/** `Rexi name="value", name="value"`: none of our values has quotes, commas or spaces. */
export function writeParams(params: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(params).map(([name, value]) => `${name}="${value}"`);
  return `${scheme} ${pairs.join(', ')}`;
}

/** The parameters of such a header; undefined for anything that is not one, and for a name given twice. */
export function readParams(header: string): Map<string, string> | undefined {
  if (header.length > headerBytes || !header.startsWith(`${scheme} `)) return undefined;
  const params = new Map<string, string>();
  for (const part of header.slice(scheme.length + 1).split(',')) {
    const [, name, value] = pair.exec(part.trim()) ?? [];
    if (name === undefined || value === undefined || params.has(name)) return undefined;
    params.set(name, value);
  }
  return params;
}

/** Bytes in a header: base64url without padding. */
export function writeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/** Exactly `length` bytes, written the one way in which `writeBytes` writes them; else undefined. */
export function readBytes(text: string | undefined, length: number): Uint8Array | undefined {
  const bytes = Buffer.from(text ?? '', 'base64url');
  return bytes.length === length && writeBytes(bytes) === text ? bytes : undefined;
}

/** Any text in a header: percent-encoded UTF-8. */
export function writeText(text: string): string {
  return encodeURIComponent(text);
}

/** The text again; undefined when it is not percent-encoded UTF-8. */
export function readText(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
