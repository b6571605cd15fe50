/**
 * Safe primes for benches, so that a run does not begin with minutes of looking for some. They are public: a key made of
 * them protects nothing.
 */

import type { ModulusBits } from '../../src/privacy/homomorphic/paillier/parameters.ts'

const read = (...lines: readonly string[]): bigint => BigInt(`0x${lines.join('')}`)

export const PUBLIC_PRIMES: Readonly<Partial<Record<ModulusBits, readonly [bigint, bigint]>>> = {
  2048: [
    read(
      'd2c664dc705fe72fde01d3af7713ec42c0fe146862b50e16d37e43771c65f742e805cc93535539cf78d06175f562ad24',
      'a3f273e19ef14fcc255a9423650bbfbaa4773d1cab38e30f294ace0b1d988123264b4c36137c7a121489c902269cb9ec',
      '77c37a25b93a2de5262bd27a10bdd4b959bdc9605cf421b3fbe2034ec0675e53',
    ),
    read(
      'd38afec4baf6c1458457d676d029fb21e2ca387bc0bac3927c3f3e5abbf5507b373a0398ec3a54bcc9ed5055820a6f64',
      '79591ce534c4ee98aa03877117127d081a9492274c330139a8f8b02258ee704cde2ac9da0c4d124e8f34e44f76c59490',
      '08a2d20d5e5d618f715093b0456c7dd33004185a70471a5066b2c6df2ed40553',
    ),
  ],
  3072: [
    read(
      'dee89f57969af23855b090d9937681b5067aec6fec9453c7c43b345ffa3045282f972568f9c309c714bda8d0a8a5c1cf',
      '80fa214ef05dde7c461ad44c3a901bdc9646d493eecf3e913bcbdc92da0bdd59f2e31f37d63ee7b6a190d92f71e4a046',
      'a2d25502b6b824be9c942f3c49df4aeda513e5e9ad883a5d6cf653d6a067444fef625738a27f0fb167001ba16ad2d1a3',
      '5010fb69ffb74e98323bacf0174df4e9fa8a70ec7b7161fcca520f86d1d7b523f95d9c1f524ad57909e6738e163f144b',
    ),
    read(
      'f1658d43d4587a093eceb4bb57a6d730e887acae603b5745ce3d8174c073a6841acab7fc22ae904ef0ca6144e785c820',
      'fcea04edf38716796054c7e93e231e8c5f787dea822b83951b540ce245859cfd63fb80348c17c87d96ad28b164ec883b',
      '6cafe76b7aa5a1065120d3fe11bb3276763beb7f565317eeaa13b0fa42603384eb8f28e2721c1b5119ae1c515ca17667',
      '413471f289ee71dae4dc57280beb7d2452b193d5763e5182c6b383122e2a5dba9397bfc0a6cb8435fbf8b33bd03706df',
    ),
  ],
}
