// @ts-check
import { job } from '@muster/worker';

const run = async (/** @type {unknown} */ args) => args;

export const shared = job({ isolation: 'shared', run });
export const exclusive = job({ isolation: 'exclusive', run });
