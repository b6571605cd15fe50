import { describe, expect, it } from 'vitest'
import { organisationId } from '../../base/ids.ts'
import { publicKeyOf } from '../../base/signature.ts'
import type { Transaction } from '../ports.ts'
import type { OrganisationContext } from './identity.ts'
import { pinKeys } from './member-keys.ts'

const secretOf = (name: string): Uint8Array => new Uint8Array(32).fill(name.charCodeAt(0))
const invitedAs = (name: string, key = name) => ({
  organisation: organisationId(name),
  publicKey: publicKeyOf(secretOf(key)),
})

/** What these functions look at of a node. */
function node(): OrganisationContext {
  const values = new Map<string, unknown>()
  const transaction = { setValue: async (name: string, value: unknown) => void values.set(name, value) }
  const store = {
    readValue: async (name: string) => values.get(name),
    transact: (work: (transaction: Transaction) => Promise<void>) => work(transaction as unknown as Transaction),
  }
  const identity = { organisation: organisationId('a'), secret: secretOf('a') }
  return { ports: { store }, identity } as unknown as OrganisationContext
}

describe('the keys of those among whom an organisation hides', () => {
  it('are taken as first shown, and as often as they are the same', async () => {
    const context = node()
    await pinKeys(context, [invitedAs('a'), invitedAs('b')])
    await pinKeys(context, [invitedAs('a'), invitedAs('b'), invitedAs('c')])
  })

  it('cannot be exchanged later: a hub would read the shares of whoever it plays', async () => {
    const context = node()
    await pinKeys(context, [invitedAs('a'), invitedAs('b')])
    await expect(pinKeys(context, [invitedAs('a'), invitedAs('b', 'x')])).rejects.toMatchObject({
      code: 'impersonation',
      retryable: false,
      details: { organisation: 'b' },
    })
  })

  it('hold the own key, or the hub means somebody else', async () => {
    await expect(pinKeys(node(), [invitedAs('a', 'x'), invitedAs('b')])).rejects.toThrow('another identity key')
    await expect(pinKeys(node(), [invitedAs('b')])).rejects.toThrow('another identity key')
  })
})
