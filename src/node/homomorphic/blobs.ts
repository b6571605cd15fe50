/** Vectors of ciphertexts and partial decryptions as blobs. Each is read whole: some tens of megabytes. */

import { fail } from '../../base/errors.ts'
import type { Digest } from '../../base/ids.ts'
import type { HomomorphicScheme } from '../../privacy/homomorphic/scheme.ts'
import { writeBlob } from '../model-files.ts'
import type { Blobs } from '../ports.ts'

/** @throws blob-missing */
export async function readWhole(blobs: Blobs, digest: Digest): Promise<Uint8Array> {
  const file = await blobs.open(digest)
  try {
    const bytes = new Uint8Array(file.size)
    await file.read(0, bytes)
    return bytes
  } finally {
    await file.close()
  }
}

/** More would be in memory at once: under CKKS a contribution of a million parameters has 32 MB. */
const ADDED_AT_ONCE = 3

/** The sum of as many vectors as there are, of which few are held at a time. @throws what `load` and `add` throw */
export async function addInParts<Name>(
  scheme: HomomorphicScheme,
  names: readonly Name[],
  load: (name: Name, i: number) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  let sum: Uint8Array | undefined
  for (let at = 0; at === 0 || at < names.length; at += ADDED_AT_ONCE) {
    const vectors: Uint8Array[] = sum === undefined ? [] : [sum]
    for (const [i, name] of names.slice(at, at + ADDED_AT_ONCE).entries()) vectors.push(await load(name, at + i))
    sum = await scheme.add(vectors)
  }
  return sum ?? fail('internal', 'nothing was added')
}

export async function store(blobs: Blobs, bytes: Uint8Array): Promise<Digest> {
  return (await writeBlob(blobs, bytes)).digest
}
