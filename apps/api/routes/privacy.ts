/** Section 7.3 of the ledger document, at a hub: these are functions of an organisation's own node, and the hub says so. */

import { fail } from '../../../src/base/errors.ts'
import type { Hub } from '../../../src/node/hub.ts'
import { requireReader } from '../peer.ts'
import { problemSchema } from '../problem.ts'
import type { Api } from '../server.ts'

const ROUTES = [
  ['POST', 'sanitize'],
  ['POST', 'encrypt'],
  ['GET', 'privacy-budget'],
] as const

export function privacyRoutes(app: Api, prefix: string, hub: Hub): void {
  for (const [method, name] of ROUTES)
    app.route({
      method,
      url: `${prefix}/privacy/${name}`,
      schema: { response: { 501: problemSchema } },
      handler: async (request) => {
        await requireReader(hub, request)
        if (name === 'sanitize')
          fail('not-available', 'a hub is not shown logs: ask the control interface of your own node to sanitise them')
        if (name === 'encrypt')
          fail(
            'not-available',
            'a hub is not shown updates: ask the control interface of your own node to encrypt them',
          )
        fail('not-available', 'the privacy functions are not part of this version')
      },
    })
}
