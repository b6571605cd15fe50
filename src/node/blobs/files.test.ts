import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeBlobs } from '../ports.suite.ts'
import { openFileBlobs } from './files.ts'

describeBlobs('files', async () => {
  const root = await mkdtemp(join(tmpdir(), 'entente-blobs-'))
  return { blobs: await openFileBlobs(root), close: () => rm(root, { recursive: true, force: true }) }
})
