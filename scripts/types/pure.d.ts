/**
 * What floors 0-3 see of the world beyond ECMAScript: text encodings, WebAssembly, and those functions of `node:crypto`
 * whose result is determined by their arguments. Anything else (randomBytes, fetch, timers, process) does not compile.
 */

declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean })
  decode(input?: ArrayBufferView | ArrayBuffer, options?: { stream?: boolean }): string
}

declare namespace WebAssembly {
  interface MemoryDescriptor {
    initial: number
    maximum?: number
    shared?: boolean
  }
  class Memory {
    constructor(descriptor: MemoryDescriptor)
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  class Module {
    constructor(bytes: ArrayBufferView<ArrayBuffer> | ArrayBuffer)
  }
  type ExportValue = Function | Memory | Global
  type Exports = Record<string, ExportValue>
  type Imports = Record<string, Record<string, unknown>>
  class Global {
    value: unknown
  }
  class Instance {
    constructor(module: Module, imports?: Imports)
    readonly exports: Exports
  }
}

declare module 'node:crypto' {
  type Bytes = ArrayBufferView | string

  export interface Hash {
    update(data: Bytes): Hash
    copy(): Hash
    digest(): Uint8Array<ArrayBuffer>
    digest(encoding: 'hex' | 'base64' | 'base64url'): string
  }
  export function createHash(algorithm: string): Hash

  export interface Hmac {
    update(data: Bytes): Hmac
    digest(): Uint8Array<ArrayBuffer>
    digest(encoding: 'hex' | 'base64' | 'base64url'): string
  }
  export function createHmac(algorithm: string, key: Bytes | KeyObject): Hmac

  export function hkdfSync(digest: string, key: Bytes, salt: Bytes, info: Bytes, length: number): ArrayBuffer

  export interface KeyObject {
    readonly type: 'public' | 'private' | 'secret'
    readonly asymmetricKeyType?: string
    export(options: { format: 'der'; type: 'spki' | 'pkcs8' }): Uint8Array<ArrayBuffer>
  }
  export interface DerKey<Type> {
    key: Uint8Array
    format: 'der'
    type: Type
  }
  export function createPrivateKey(key: DerKey<'pkcs8'>): KeyObject
  export function createPublicKey(key: DerKey<'spki'> | KeyObject): KeyObject
  export function sign(algorithm: null, data: ArrayBufferView, key: KeyObject): Uint8Array<ArrayBuffer>
  export function verify(algorithm: null, data: ArrayBufferView, key: KeyObject, signature: ArrayBufferView): boolean
  export function diffieHellman(keys: { privateKey: KeyObject; publicKey: KeyObject }): Uint8Array<ArrayBuffer>

  export interface Cipher {
    update(data: ArrayBufferView): Uint8Array<ArrayBuffer>
    final(): Uint8Array<ArrayBuffer>
    setAAD(data: ArrayBufferView): Cipher
    getAuthTag(): Uint8Array<ArrayBuffer>
  }
  export interface Decipher {
    update(data: ArrayBufferView): Uint8Array<ArrayBuffer>
    final(): Uint8Array<ArrayBuffer>
    setAAD(data: ArrayBufferView): Decipher
    setAuthTag(tag: ArrayBufferView): Decipher
  }
  type GcmName = 'aes-128-gcm' | 'aes-256-gcm'
  /** Single blocks, of which a room builds a mode that OpenSSL lacks. */
  export interface BlockCipher {
    update(data: ArrayBufferView): Uint8Array<ArrayBuffer>
    setAutoPadding(on: boolean): BlockCipher
  }
  export function createCipheriv(
    algorithm: 'aes-128-ecb' | 'aes-192-ecb' | 'aes-256-ecb',
    key: ArrayBufferView,
    iv: null,
  ): BlockCipher
  export function createCipheriv(
    algorithm: GcmName | 'aes-128-ctr' | 'aes-256-ctr',
    key: ArrayBufferView,
    iv: ArrayBufferView,
  ): Cipher
  export function createDecipheriv(
    algorithm: GcmName | 'aes-128-ctr' | 'aes-256-ctr',
    key: ArrayBufferView,
    iv: ArrayBufferView,
  ): Decipher
}
