import { describe, expect, it } from 'vitest';
import { seededEntropy } from '@muster/rexi/testing';
import { formatObjectName } from './object-key.ts';
import { ObjectService } from './object-service.ts';
import { ObjectTable } from './object-table.ts';
import { pattern } from './testing/pattern.ts';
import { maxCredit, maxTransfers, type ObjectAnswer } from './transfer.ts';

const incarnation = '0123456789abcdef';

function setup(session?: string) {
  const table = new ObjectTable({ incarnation, entropy: seededEntropy(1) });
  const sent: ObjectAnswer[] = [];
  const service = new ObjectService({ table, session, send: (message) => sent.push(message) });
  const put = (size: number): string => {
    const id = table.put({ job: 1, session: 's1' }, pattern(size));
    return formatObjectName({ incarnation, id });
  };
  const get = (id: number, object: string, credit: number = 1000): void =>
    service.receive({ type: 'object-get', id, object, credit });
  return { table, sent, service, put, get };
}

describe('ObjectService', () => {
  it('delivers an object whole that is dropped while it is sent', () => {
    const { table, sent, service, put, get } = setup();
    get(1, put(2000));
    table.endSession('s1');
    for (let guard = 0; service.active > 0 && guard < 100; guard += 1) {
      const last = sent.at(-1);
      if (last?.type === 'object-chunk') {
        service.receive({ type: 'object-ack', id: 1, bytes: last.offset + last.bytes.length });
      }
    }
    const bytes = sent.flatMap((message) => (message.type === 'object-chunk' ? [message.bytes] : []));
    expect(Buffer.compare(Buffer.concat(bytes), pattern(2000))).toBe(0);
  });

  it('sends nothing more after its link has ended', () => {
    const { sent, service, put, get } = setup();
    get(1, put(10_000));
    const before = sent.length;
    service.closed();
    service.receive({ type: 'object-ack', id: 1, bytes: 500 });
    expect(sent).toHaveLength(before);
    expect(service.active).toBe(0);
  });

  it('ignores acks and ends that crossed the end of their transfer', () => {
    const { service, put, get, sent } = setup();
    get(1, put(10));
    const before = sent.length;
    service.receive({ type: 'object-ack', id: 1, bytes: 10 });
    service.receive({ type: 'object-end', id: 1, code: 'cancelled' });
    expect(sent).toHaveLength(before);
  });

  it('lets a peer read but not drop', () => {
    const { table, sent, service, put, get } = setup(undefined);
    get(1, put(10), 0);
    service.receive({ type: 'object-end', id: 1, code: 'drop' });
    expect(sent.at(-1)).toEqual({ type: 'object-end', id: 1, code: 'foreign' });
    expect(table.stats().objects).toBe(1);
  });

  it('closes a link that uses one number twice', () => {
    const { put, get } = setup();
    const object = put(10_000);
    get(1, object);
    expect(() => get(1, object)).toThrow(expect.objectContaining({ closeCode: 4005 }));
  });

  it('closes a link that gives more credit than may be queued', () => {
    const { put, get } = setup();
    get(1, put(10), maxCredit);
    expect(() => get(2, put(10), maxCredit + 1)).toThrow(expect.objectContaining({ closeCode: 4005 }));
  });

  it('closes a link that opens transfers without end', () => {
    const { put, get } = setup();
    const object = put(10);
    for (let id = 1; id <= maxTransfers; id += 1) get(id, object, 0);
    expect(() => get(maxTransfers + 1, object, 0)).toThrow(expect.objectContaining({ closeCode: 4005 }));
  });

  it('closes a link that asks for what is no object name', () => {
    const { get } = setup();
    expect(() => get(1, '../etc/passwd')).toThrow(expect.objectContaining({ closeCode: 4002 }));
  });

  it('closes a link that acks what was never sent', () => {
    const { service, put, get } = setup();
    get(1, put(10_000));
    expect(() => service.receive({ type: 'object-ack', id: 1, bytes: 9_000 })).toThrow(
      expect.objectContaining({ closeCode: 4005 }),
    );
  });
});
