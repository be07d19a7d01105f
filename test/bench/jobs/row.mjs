// @ts-check

const filler = Buffer.alloc(9_980, 'x');
const text = 'x'.repeat(72);

/** A row of about 100 bytes, or one with a binary of about 10,000. @param {number} id @param {number} size */
export function rowOf(id, size) {
  return size > 1_000 ? { id, data: filler } : { id, name: `row ${id}`, text };
}
