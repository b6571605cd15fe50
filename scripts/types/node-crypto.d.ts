/** Node takes DER keys as any byte array; its type declarations say Buffer, which pure rooms do not know. */

import type { KeyObject } from 'node:crypto'

declare module 'node:crypto' {
  function createPrivateKey(key: { key: Uint8Array; format: 'der'; type: 'pkcs8' }): KeyObject
  function createPublicKey(key: { key: Uint8Array; format: 'der'; type: 'spki' }): KeyObject
}
