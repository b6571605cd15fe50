import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../base/bytes.ts'
import { EntenteError } from '../base/errors.ts'
import { checkpointText, openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint.ts'
import { keyOf, ORIGIN, secretOf } from './fixtures.ts'
import { leafHash } from './merkle.ts'
import { noteKeyId, noteVerifierKey, openNote, signNote } from './note.ts'

const hub = { name: ORIGIN, publicKey: keyOf('hub') }
const note = signNote('hello\nworld\n', ORIGIN, secretOf('hub'))

function reasonOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    if (error instanceof EntenteError) return error.details['reason'] ?? error.code
    throw error
  }
  return 'accepted'
}

describe('a signed note (c2sp.org/signed-note)', () => {
  it('has the key id of the example that Go publishes with its note package', () => {
    // PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW
    expect(toHex(noteKeyId('PeterNeumann', 'GlzZBxQ8OExB6DDFvOEqqIF-xWSaqr8sMTiLNbLXRNY'))).toBe('c74f20a3')
    expect(noteVerifierKey('PeterNeumann', 'GlzZBxQ8OExB6DDFvOEqqIF-xWSaqr8sMTiLNbLXRNY')).toBe(
      'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    )
  })

  it('of that example verifies', () => {
    const published =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n" +
      '\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
    const signer = { name: 'PeterNeumann', publicKey: 'GlzZBxQ8OExB6DDFvOEqqIF-xWSaqr8sMTiLNbLXRNY' }
    expect(openNote(published, [signer]).verified).toEqual(['PeterNeumann'])
  })

  it('opens to what was signed, and to nothing without a known key', () => {
    expect(openNote(note, [hub])).toEqual({ text: 'hello\nworld\n', verified: [ORIGIN] })
    expect(reasonOf(() => openNote(note, []))).toBe('note-unsigned')
    expect(reasonOf(() => openNote(note, [{ ...hub, publicKey: keyOf('stranger') }]))).toBe('note-unsigned')
    expect(reasonOf(() => openNote(note, [{ ...hub, name: 'other.example' }]))).toBe('note-unsigned')
  })

  it('ignores signatures by unknown keys, and refuses a wrong one by a known key', () => {
    const second = signNote('hello\nworld\n', 'witness.example', secretOf('witness')).split('\n\n')[1] as string
    expect(openNote(note + second, [hub]).verified).toEqual([ORIGIN])
    expect(openNote(note + second, [hub, { name: 'witness.example', publicKey: keyOf('witness') }]).verified).toEqual([
      ORIGIN,
      'witness.example',
    ])
    expect(reasonOf(() => openNote(note.replace('hello', 'hallo'), [hub]))).toBe('note-signature')
  })

  it('of any other form is refused', () => {
    for (const malformed of [
      '',
      'text\n',
      note.trimEnd(),
      note.replace('— ', '- '),
      note.replace('hello', 'he\tllo'),
      `${note}\n`,
      note.replace(/.\n$/, '\n'),
    ])
      expect(reasonOf(() => openNote(malformed, [hub]))).toMatch(/note-(malformed|unsigned)/)
    expect(reasonOf(() => signNote('no newline', ORIGIN, secretOf('hub')))).toBe('note-malformed')
    expect(reasonOf(() => signNote('text\n', 'two words', secretOf('hub')))).toBe('invalid-request')
    expect(reasonOf(() => openNote(note + '— a.example AAAAAAAA\n'.repeat(100), [hub]))).toBe('note-malformed')
  })
})

describe('a checkpoint (c2sp.org/tlog-checkpoint)', () => {
  const checkpoint = { origin: ORIGIN, size: 20852163, root: leafHash(utf8('x')) }

  it('is three lines, and back', () => {
    expect(checkpointText(checkpoint).split('\n')).toHaveLength(4)
    expect(parseCheckpoint(checkpointText(checkpoint))).toEqual(checkpoint)
    expect(openCheckpoint(signCheckpoint(checkpoint, secretOf('hub')), ORIGIN, keyOf('hub'))).toEqual(checkpoint)
  })

  it('with another spelling of its size, a short root, or more or fewer lines is refused', () => {
    const good = checkpointText(checkpoint)
    const bad = [
      good.replace('20852163', '020852163'),
      good.replace('20852163', '2e7'),
      good.replace('20852163', '-1'),
      good.replace('20852163', '99999999999999999'),
      good.slice(0, -2),
      `${good}extension\n`,
      `\n${good}`,
      good.replace(/=\n/, '\n'),
      '',
    ]
    for (const text of bad) expect(reasonOf(() => parseCheckpoint(text))).toBe('checkpoint-malformed')
  })

  it('that the right key signed for another log is refused', () => {
    const foreign = signNote(checkpointText({ ...checkpoint, origin: 'other.example' }), ORIGIN, secretOf('hub'))
    expect(reasonOf(() => openCheckpoint(foreign, ORIGIN, keyOf('hub')))).toBe('checkpoint-origin')
  })
})
