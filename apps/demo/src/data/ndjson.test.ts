import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readNdjson } from './ndjson.ts';

let dir = '';
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'muster-ndjson-'))));
afterAll(() => rm(dir, { recursive: true }));

async function fileWith(text: string): Promise<string> {
  const file = join(dir, 'rows.ndjson');
  await writeFile(file, text);
  return file;
}

describe('a file of rows', () => {
  it('is read line by line, with blank lines, CRLF and a byte order mark', async () => {
    const file = await fileWith('\uFEFF{"id":1}\r\n\r\n{"id":"two"}');
    expect(await readNdjson(file, 'id')).toEqual([{ id: 1 }, { id: 'two' }]);
  });

  it('that is not there is told in a sentence', async () => {
    await expect(readNdjson('missing.ndjson', 'id')).rejects.toThrow('There is no file missing.ndjson.');
  });

  it('that is a directory is told in a sentence', async () => {
    await expect(readNdjson(dir, 'id')).rejects.toThrow('is a directory');
  });

  it('without a row is told in a sentence', async () => {
    await expect(readNdjson(await fileWith('\n\n'), 'id')).rejects.toThrow('has no rows.');
  });

  it.each([
    ['{"id":1}\n\n{"id":', /line 3: this is no JSON: /],
    ['{"id":1}\n[1]', /line 2: this is no JSON object, but an array\.$/],
    ['{"id":1}\n{"name":"x"}', /line 2: the row has no field "id"; --key names a field/],
    ['{"id":null}', /line 1: the row has null as its "id"/],
    ['{"name":"x"}', /line 1: the row has no field "id"/],
  ])('%j names the line that is wrong', async (text, sentence) => {
    await expect(readNdjson(await fileWith(text), 'id')).rejects.toThrow(sentence);
  });
});
