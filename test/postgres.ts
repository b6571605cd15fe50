/**
 * One private Postgres for a whole test run (vitest globalSetup): a real server, since a fake would hide what the store
 * is for. It serves a migrated template, of which `databases.ts` copies a database for whoever needs one.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../src/node/storage/database.ts'
import { createDatabase, type PrivateServer, startPrivateServer } from '../src/node/storage/embedded.ts'

export const TEMPLATE = 'entente_template'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl?: string
  }
}

export interface TestServer {
  readonly url: string
  readonly server: PrivateServer
  stop(): Promise<void>
}

export async function startTestServer(): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'entente-test-pg-'))
  const server = await startPrivateServer(join(directory, 'pg'))
  const template = await openDatabase(await createDatabase(server.url, TEMPLATE))
  await template.close()
  return {
    url: server.url,
    server,
    async stop() {
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export async function setup(project: {
  provide(name: 'postgresUrl', url: string): void
}): Promise<() => Promise<void>> {
  const { url, stop } = await startTestServer()
  project.provide('postgresUrl', url)
  return stop
}
