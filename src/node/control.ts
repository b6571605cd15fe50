/** Commands to a running organisation node on this machine: its control interface, with the token of runtime.json. */

import { fail } from '../base/errors.ts'
import type { Digest } from '../base/ids.ts'
import type { LedgerExport } from '../ledger/export.ts'
import type { OrganisationNodeStatus } from './organisation/status.ts'
import { readRuntimeFile } from './runtime-file.ts'
import { API } from './transport/client.ts'
import { downloadToFile } from './transport/download.ts'
import { createHttpClient } from './transport/http.ts'

export interface Control {
  status(): Promise<OrganisationNodeStatus>
  /** Leaves the federation for good. */
  leave(): Promise<void>
  exportLedger(): Promise<LedgerExport>
  /** Any GET below the prefix, e.g. `/ledger/block/3`. */
  get(path: string): Promise<unknown>
  downloadModel(model: Digest, path: string): Promise<void>
  close(): void
}

/** @throws unavailable if no node runs in the directory */
export async function openControl(directory: string): Promise<Control> {
  const runtime = await readRuntimeFile(directory)
  const url = runtime?.urls['control']
  if (runtime === undefined || url === undefined)
    fail('unavailable', `no node runs in ${directory}: start it with "entente org start"`)
  const http = createHttpClient({ urls: [url], headers: { authorization: `Bearer ${runtime.controlToken}` } })
  const get = (path: string) => http.call({ method: 'GET', path: `${API}${path}` })
  return {
    status: async () => (await get('/status')) as OrganisationNodeStatus,
    leave: async () => void (await http.call({ method: 'POST', path: `${API}/federation/leave` })),
    exportLedger: async () => (await get('/ledger/export')) as LedgerExport,
    get,
    downloadModel: (model, path) => downloadToFile(http, model, path),
    close: http.close,
  }
}
