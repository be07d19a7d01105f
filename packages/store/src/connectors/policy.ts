/** Which objects a connector takes, and where it is open. What is left out allows everything. */
export interface Policy {
  /** Bytes, both ends included. */
  readonly minSize?: number;
  readonly maxSize?: number;
  /** Takes puts whose tags are all among these. */
  readonly subsetTags?: readonly string[];
  /** Takes puts whose tags include all of these. */
  readonly supersetTags?: readonly string[];
  /** Machines on which the connector is open: names, in which `*` stands for any characters. Elsewhere it is dormant. */
  readonly hosts?: readonly string[];
  /** Zones in which the connector is open, whole names. */
  readonly zones?: readonly string[];
  /** Higher is asked first; of equals, the one that was named first. Default 0. */
  readonly priority?: number;
}

/** Where this process runs. */
export interface Place {
  readonly host: string;
  readonly zone?: string | undefined;
}

/** Whether the connector is open here. A policy that names zones excludes a process that names none. */
export function isOpenAt({ hosts, zones }: Policy, { host, zone }: Place): boolean {
  if (hosts !== undefined && !hosts.some((name) => matches(name, host))) return false;
  return zones === undefined || (zone !== undefined && zones.includes(zone));
}

/** Whether the connector takes an object. `size` is undefined for one that is to come: only what has no bounds takes it. */
export function accepts(policy: Policy, size: number | undefined, tags: readonly string[]): boolean {
  const { minSize = 0, maxSize = Infinity, subsetTags, supersetTags } = policy;
  if (size === undefined ? minSize > 0 || maxSize < Infinity : size < minSize || size > maxSize) return false;
  if (subsetTags !== undefined && !tags.every((tag) => subsetTags.includes(tag))) return false;
  return supersetTags === undefined || supersetTags.every((tag) => tags.includes(tag));
}

/** By parts between the stars: a pattern from a config must not be able to take for ever, as an expression can. */
function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}
