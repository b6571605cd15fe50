import { expect, it } from 'vitest'
import { federationId, organisationId } from '../../base/ids.ts'
import { performEncryptionEffect } from './encryption.ts'
import { performMaskingEffect } from './masking.ts'

/** What a node that is in this phase of a round uploads and delivers for a letter that was ordered before. */
async function sent(phase: string, perform: 'masking' | 'encrypting', effect: object): Promise<string[]> {
  const calls: string[] = []
  const context = {
    ports: {
      store: { readStream: async () => ({ state: { phase } }) },
      clock: { now: () => 0 },
      blobs: {},
      connection: {
        upload: async () => void calls.push('upload'),
        deliver: async ({ header }: { header: { type: string } }) => void calls.push(header.type),
      },
    },
    identity: {
      federation: federationId('f.example'),
      organisation: organisationId('org-a'),
      secret: new Uint8Array(32).fill(7),
    },
    options: {},
  }
  const sealed = { openEffect: (one: unknown) => one }
  const parts = { context, client: sealed, encryption: sealed, dispatch: async () => undefined } as never
  const at = { id: 'letter', stream: `${perform}/t-1` }
  if (perform === 'masking') await performMaskingEffect(parts, effect, at as never)
  else await performEncryptionEffect(parts, effect, at as never)
  return calls
}

const give = { type: 'give', report: {}, body: { partial: 'a'.repeat(64) } }
const contribution = { type: 'send', message: 'encryption-contribution', body: { vector: 'b'.repeat(64) } }
const masked = { type: 'send', message: 'masking-input', body: { vector: 'c'.repeat(64) } }

it('a letter whose blob was removed with its round is not sent: the hub would ask for the blob for ever', async () => {
  expect(await sent('abandoned', 'encrypting', give)).toEqual([])
  expect(await sent('abandoned', 'encrypting', contribution)).toEqual([])
  expect(await sent('abandoned', 'masking', masked)).toEqual([])
})

it('a letter that was sent before the node died is sent once more, without the blob that the hub has', async () => {
  expect(await sent('contributed', 'encrypting', give)).toEqual(['encryption-partial'])
  expect(await sent('contributed', 'encrypting', contribution)).toEqual(['encryption-contribution'])
  expect(await sent('contributed', 'masking', masked)).toEqual(['masking-input'])
})
