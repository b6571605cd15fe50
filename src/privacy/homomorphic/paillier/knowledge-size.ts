/** Bytes of a proof of knowledge (knowledge.ts): challenge, z mod N, w. */

import type { PaillierKey } from './parameters.ts'

export const CHALLENGE_BYTES = 16
const WEIGHT_BITS = 128
/** Of the number of ciphertexts in a vector, and 128 of hiding. */
const SLACK_BITS = 32 + 128

export const modulusBytes = ({ elementBytes }: PaillierKey): number => elementBytes / 2

export const answerBytes = ({ source }: PaillierKey): number =>
  (source.exponentBits + WEIGHT_BITS + 8 * CHALLENGE_BYTES + SLACK_BITS) / 8

export const knowledgeBytes = (key: PaillierKey): number => CHALLENGE_BYTES + modulusBytes(key) + answerBytes(key)
