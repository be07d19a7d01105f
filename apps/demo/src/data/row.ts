/** A row of the data set: what one line of NDJSON holds. */
export type Row = Readonly<Record<string, unknown>>;

/** How far a row is from something: on the globe, or along one numeric field. */
export type Measure =
  | { readonly by: 'point'; readonly lat: number; readonly lon: number }
  | { readonly by: 'value'; readonly field: string; readonly value: number };

/** The kilometres, or the difference; undefined for a row that has no such number. */
export function distanceOf(row: Row, measure: Measure): number | undefined {
  if (measure.by === 'value') {
    const value = numberIn(row, measure.field);
    return value === undefined ? undefined : Math.abs(value - measure.value);
  }
  const lat = numberIn(row, 'lat');
  const lon = numberIn(row, 'lon');
  return lat === undefined || lon === undefined ? undefined : kilometres(measure, { lat, lon });
}

export function numberIn(row: Row, field: string): number | undefined {
  const value = row[field];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A field as text: what keys, groups and prefixes are compared by. */
export function textIn(row: Row, field: string): string {
  const value = row[field];
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

interface Point {
  readonly lat: number;
  readonly lon: number;
}

const earthRadius = 6371;

/** Along the surface, by the haversine formula. */
function kilometres(from: Point, to: Point): number {
  const half = (degrees: number): number => Math.sin((degrees * Math.PI) / 360) ** 2;
  const cos = (degrees: number): number => Math.cos((degrees * Math.PI) / 180);
  const chord = half(to.lat - from.lat) + cos(from.lat) * cos(to.lat) * half(to.lon - from.lon);
  return 2 * earthRadius * Math.asin(Math.min(1, Math.sqrt(chord)));
}
