export {
  changedAt,
  childrenOf,
  filesBelow,
  isAlive,
  isExecutors,
  isStopped,
  processesWith,
  processOf,
  residentOf,
  socketsOn,
} from '@muster/testkit/chaos';
