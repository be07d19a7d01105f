// For everybody who uses objects.
export { Store } from './store.ts';
export type { StoreCodec, StoreOptions } from './store.ts';
export { isObjectRef, ObjectRef, refHook } from './object-ref.ts';
export type { Resolver } from './object-ref.ts';
export { isStoreErrorCode, StoreError, storeCodes } from './errors.ts';
export type { StoreErrorCode, StoreErrorContext } from './errors.ts';

// For those who write or choose a connector.
export type {
  ByteStore,
  CallOptions,
  Capabilities,
  Connector,
  ConnectorConfig,
  ObjectStat,
  PutOptions,
  Reply,
} from './connector.ts';
export { openConnector, registerConnector } from './open-connector.ts';
export type { OpenConnector } from './open-connector.ts';
export { MemoryConnector } from './memory-connector.ts';
export type { MemoryConnectorOptions } from './memory-connector.ts';
export { BackendConnector } from './backend-connector.ts';
export type { BackendConnectorOptions, ConnectorSeams } from './backend-connector.ts';
export type { Backend, BackendItem } from './backend.ts';
export { engineOver, openEngine } from './storage-engine.ts';
export type { StorageEngine } from './storage-engine.ts';

// For the node that holds objects.
export { ObjectTable } from './object-table.ts';
export type { Absence, Dropped, Found, ObjectOwner, ObjectTableOptions, ObjectTableStats } from './object-table.ts';
export { ObjectService } from './object-service.ts';
export type { ObjectServiceOptions } from './object-service.ts';
export { formatObjectKey, formatObjectName, maxKeyBytes, parseObjectKey, parseObjectName } from './object-key.ts';
export type { ObjectKey, ObjectName } from './object-key.ts';

// For whoever asks a node for objects.
export { PeerResolver } from './peer-resolver.ts';
export type { PeerResolverOptions } from './peer-resolver.ts';
export { ObjectClient } from './object-client.ts';
export type { ObjectClientOptions, TransferOptions } from './object-client.ts';
export type { ObjectPort, ObjectPortHandler } from './object-port.ts';
export { channelPort } from './channel-port.ts';
export type { PassedPort } from './channel-port.ts';
export { ByteCache } from './byte-cache.ts';

// The transfer itself, for simulations and other shells.
export { ObjectSender } from './object-sender.ts';
export type { SenderOptions } from './object-sender.ts';
export { ObjectReceiver } from './object-receiver.ts';
export type { ReceiverOptions } from './object-receiver.ts';
export { chunkFor, defaultCredit, maxCredit, maxTransfers } from './transfer.ts';
export type { AskEvent, AskingMachine, GiveUp, ObjectAnswer, ObjectAsk, Outcome, Step } from './transfer.ts';
