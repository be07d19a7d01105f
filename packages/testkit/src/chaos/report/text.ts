const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Any text, as a page says it. */
export function text(any: string): string {
  return any.replaceAll(/[&<>"]/g, (sign) => entities[sign] ?? sign);
}
