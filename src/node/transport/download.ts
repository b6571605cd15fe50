/** A blob from a server into a named file: whole and verified, or not there. */

import { createHash, randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { fail } from '../../base/errors.ts'
import type { Digest } from '../../base/ids.ts'
import { API } from './client.ts'
import { type HttpClient, problemError, readAll } from './http.ts'

/** @throws not-found, digest-mismatch, unavailable */
export async function downloadToFile(http: HttpClient, digest: Digest, path: string): Promise<void> {
  const response = await http.send({ method: 'GET', path: `${API}/blobs/${digest}` })
  if (response.statusCode !== 200)
    throw problemError(JSON.parse((await readAll(response)).toString() || 'null'), response.statusCode ?? 0)
  const fresh = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(fresh, 'wx')
  try {
    const hash = createHash('sha256')
    for await (const chunk of response as AsyncIterable<Buffer>) {
      hash.update(chunk)
      await file.write(chunk)
    }
    if (hash.digest('hex') !== digest) fail('digest-mismatch', `the bytes received are not those of ${digest}`)
    await file.sync()
    await file.close()
    await rename(fresh, path)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(fresh, { force: true })
    throw error
  }
}
