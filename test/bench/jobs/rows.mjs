// @ts-check
import { rowOf } from './row.mjs';

/** @param {{ count: number, size: number }} args */
export async function* rows({ count, size }) {
  for (let id = 0; id < count; id += 1) yield rowOf(id, size);
}

/** Rows without end. @param {{ size: number }} args */
export async function* endless({ size }) {
  for (let id = 0; ; id += 1) yield rowOf(id, size);
}
