import type { ErrorCode } from '@muster/rexi';
import { ClusterError } from '@muster/rexi';
import type { StoreErrorCode } from '@muster/store';
import { StoreError } from '@muster/store';

/** Why an agent does not do what a job has asked of it, as it crosses. A store's sentence is made of its fields, and not sent. */
type Refusal =
  | {
      readonly of: 'store';
      readonly code: StoreErrorCode;
      readonly key?: string | undefined;
      readonly store?: string | undefined;
      readonly detail?: string | undefined;
    }
  | { readonly of: 'cluster'; readonly code: ErrorCode; readonly text: string; readonly detail?: string | undefined }
  | { readonly of: 'other'; readonly text: string };

/** What a job hears that has ended, where code of it is left that still asks. */
export const jobOver: Uint8Array = packRefusal(new StoreError('closed', { detail: 'the job has ended' }));

export function packRefusal(error: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(refusalOf(error)));
}

/** The error of `packRefusal` again, without its cause. */
export function unpackRefusal(packed: Uint8Array): Error {
  const refusal = JSON.parse(Buffer.from(packed).toString()) as Refusal;
  switch (refusal.of) {
    case 'store':
      return new StoreError(refusal.code, refusal);
    case 'cluster':
      return new ClusterError(refusal.code, refusal.text, { detail: refusal.detail });
    case 'other':
      return new Error(refusal.text);
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof StoreError) {
    const { code, key, store, detail } = error;
    return { of: 'store', code, key, store, detail };
  }
  if (error instanceof ClusterError) {
    const { code, message, detail } = error;
    return { of: 'cluster', code, text: message, detail };
  }
  return { of: 'other', text: error instanceof Error ? error.message : String(error) };
}
