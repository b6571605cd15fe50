/** Migrated databases for tests, each its own, on the server of this run (or of this file, outside such a run). */

import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, inject } from 'vitest'
import { startTestServer, TEMPLATE, type TestServer } from './postgres.ts'

let own: Promise<TestServer> | undefined

/** Address of the maintenance database of a running server. */
export async function testServerUrl(): Promise<string> {
  const shared = inject('postgresUrl')
  if (shared !== undefined) return shared
  own ??= startTestServer()
  return (await own).url
}

afterAll(async () => {
  await (await own)?.stop()
  own = undefined
})

export interface TestDatabase {
  readonly url: string
  drop(): Promise<void>
}

/** A fresh copy of the template, in about 50 ms. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = await testServerUrl()
  const name = `test_${randomBytes(8).toString('hex')}`
  await administer(server, `create database ${name} template ${TEMPLATE}`)
  const address = new URL(server)
  address.pathname = `/${name}`
  return { url: address.href, drop: () => administer(server, `drop database if exists ${name} with (force)`) }
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
