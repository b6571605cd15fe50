/** What `entente demo` takes, checked. */

import { defenceAgainst, type DemoAttack, parseAttack } from './attack.ts'
import { EntenteError, fail } from '../../../src/base/errors.ts'
import { sha256Hex } from '../../../src/base/hash.ts'
import { type EncryptionConfig, isEncrypted } from '../../../src/learning/encryption-config.ts'
import { EPSILON_DEFAULT } from '../../../src/learning/example-privacy.ts'
import { HIDDEN_AMONG_MIN, type Protection, PROTECTIONS } from '../../../src/learning/masking-config.ts'
import {
  ROBUST_RULES,
  type RobustConfig,
  robustConfigSchema,
  robustProblem,
} from '../../../src/learning/robust/config.ts'
import { purposeSchema } from '../../../src/learning/purpose.ts'
import { SPARSIFY_METHODS, type SparsifyConfig, sparsifySchema } from '../../../src/learning/sparsify.ts'
import { bucketsProblem } from '../../../src/learning/robust/secure-buckets.ts'
import {
  CENTRAL_MECHANISM,
  LOCAL_MECHANISM,
  SHARED_MECHANISM,
  SKELLAM_MECHANISM,
} from '../../../src/learning/mechanisms.ts'
import { CLIP_MAX, CLIP_MIN } from '../../../src/learning/organisation-privacy.ts'
import { INVITED_MAX } from '../../../src/learning/shared-noise.ts'
import {
  type ClipNamed,
  DEFAULT_KIND,
  MODEL_KINDS,
  type PrivacyAsked,
  type ThreatModelKind,
} from '../../../src/node/default-model.ts'
import { demoConfig } from './training-config.ts'

export const STRATEGIES = ['fedavg', 'fedprox', 'fedavgm', 'fedadam', 'fedyogi', 'fedadagrad'] as const
export type StrategyName = (typeof STRATEGIES)[number]

export interface DemoOptions {
  readonly orgs: number
  readonly model: ThreatModelKind
  /** Default: that of the model. */
  readonly rounds?: number
  readonly data?: string
  /** Default: that of the model. */
  readonly strategy?: StrategyName
  readonly labels: 'own' | 'all'
  /** Default: secure aggregation, where there are enough to hide among. */
  readonly protect?: Protection
  /** Of training rows, or of whole organisations; null = none. */
  readonly privacy: PrivacyAsked | null
  readonly clip: ClipNamed | null
  /** Default: that of trainings that name none. */
  readonly purpose?: string
  /** Instead of the mean; default: one that withstands the attack, if there is one. */
  readonly robust?: RobustConfig
  /** Organisations that lie. */
  readonly attack?: DemoAttack
  readonly seed: number
  /** Where the JSON report goes. */
  readonly json?: string
  /** Directory that stays. */
  readonly keep?: string
  /** Leave the federation running until interrupted. */
  readonly serve: boolean
}

/** The options as commander hands them over. */
export interface RawDemoOptions {
  readonly orgs: string
  readonly model?: string
  readonly rounds?: string
  readonly data?: string
  readonly strategy?: string
  readonly labels: string
  readonly protect?: string
  readonly epsilon?: string
  readonly unit?: string
  readonly mechanism?: string
  readonly clip?: string
  readonly purpose?: string
  readonly robust?: string
  readonly attack?: string
  readonly seed: string
  readonly json?: string
  readonly keep?: string
  readonly serve?: boolean
}

/** @throws config-invalid naming the option and what it takes. */
export function parseDemoOptions(raw: RawDemoOptions): DemoOptions {
  const strategy = raw.strategy === undefined ? undefined : strategyNamed(raw.strategy)
  if (raw.labels !== 'own' && raw.labels !== 'all') fail('config-invalid', '--labels takes own or all')
  return compatible({
    orgs: wholeNumber('--orgs', raw.orgs, 1, 26),
    model: modelKind(raw.model),
    labels: raw.labels,
    privacy: privacyNamed(raw),
    clip: clipNamed(raw.clip),
    seed: wholeNumber('--seed', raw.seed, 0, 2 ** 32 - 1),
    serve: raw.serve === true,
    ...(raw.rounds === undefined ? {} : { rounds: wholeNumber('--rounds', raw.rounds, 1, 1000) }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(raw.protect === undefined ? {} : { protect: protectionNamed(raw.protect) }),
    ...(raw.robust === undefined ? {} : { robust: robustNamed(raw.robust) }),
    ...(raw.purpose === undefined ? {} : { purpose: purposeNamed(raw.purpose) }),
    ...(raw.attack === undefined ? {} : { attack: parseAttack(raw.attack) }),
    ...(raw.data === undefined ? {} : { data: raw.data }),
    ...(raw.json === undefined ? {} : { json: raw.json }),
    ...(raw.keep === undefined ? {} : { keep: raw.keep }),
  })
}

/** What would be refused when the training starts is refused before anything is set up. */
function compatible(options: DemoOptions): DemoOptions {
  requireRule(options)
  try {
    // Who has data to learn from shows only later: with fewer than all, what is missing is named then.
    demoConfig(options.orgs, options, keyToBeDealt(options))
  } catch (error) {
    if (error instanceof EntenteError && error.code === 'invalid-request') fail('config-invalid', error.message)
    throw error
  }
  return options
}

/** In the place of the key that the demo deals once its nodes exist. */
function keyToBeDealt({ protect, orgs }: DemoOptions): EncryptionConfig | null {
  if (protect === undefined || !isEncrypted(protect)) return null
  return { parameters: sha256Hex(new Uint8Array()), threshold: Math.floor((2 * orgs) / 3) + 1 }
}

function requireRule(options: DemoOptions): void {
  const { attack, orgs, protect } = options
  const robust = options.robust ?? (attack === undefined ? undefined : defenceAgainst(attack, protect))
  if (robust === undefined || robust.rule === 'none') return
  if (protect !== undefined && protect !== 'plain' && protect !== 'secagg')
    fail('config-invalid', `--robust ${robust.rule} needs something to compare, which --protect ${protect} hides`)
  const problem = protect === 'secagg' ? bucketsProblem(robust, orgs) : robustProblem(robust, orgs)
  if (problem !== undefined) fail('config-invalid', `${orgs} organisations are too few: ${problem}`)
}

/** @throws config-invalid */
export function strategyNamed(name: string): StrategyName {
  return (
    STRATEGIES.find((known) => known === name) ??
    fail('config-invalid', `--strategy takes one of ${STRATEGIES.join(', ')}`)
  )
}

const CLIPS = ['update', 'layer', 'adaptive'] as const

/** `--clip NORM[:layer|adaptive]`. @throws config-invalid */
export function clipNamed(text: string | undefined): ClipNamed | null {
  if (text === undefined) return null
  const [norm = '', name = 'update', ...rest] = text.split(':')
  const [value, per] = [Number(norm), CLIPS.find((one) => one === name)]
  if (!(value >= CLIP_MIN && value <= CLIP_MAX) || per === undefined || rest.length > 0)
    fail('config-invalid', `--clip takes a norm from ${CLIP_MIN} to ${CLIP_MAX}, alone or with :layer or :adaptive`)
  return { norm: value, per }
}

const MECHANISM_NAMES = {
  local: LOCAL_MECHANISM,
  distributed: SHARED_MECHANISM,
  skellam: SKELLAM_MECHANISM,
  central: CENTRAL_MECHANISM,
} as const
const isMechanism = (name: string): name is keyof typeof MECHANISM_NAMES => Object.hasOwn(MECHANISM_NAMES, name)

export interface PrivacyOptions {
  readonly epsilon?: string
  readonly unit?: string
  readonly mechanism?: string
  readonly invitedMin?: string
}

/** `--epsilon N|off`, `--unit`, `--mechanism` and `--invited-min`; the default is on. @throws config-invalid */
export function privacyNamed({ epsilon, unit = 'example', ...shares }: PrivacyOptions): PrivacyAsked | null {
  if (unit !== 'example' && unit !== 'organisation') fail('config-invalid', '--unit takes example or organisation')
  if (epsilon === 'off') return null
  const value = epsilon === undefined ? EPSILON_DEFAULT : Number(epsilon)
  if (!(value > 0 && value <= 100)) fail('config-invalid', '--epsilon takes a number above 0 and up to 100, or off')
  return { unit, epsilon: value, ...mechanismNamed(shares, unit) }
}

function mechanismNamed(
  { mechanism: name, invitedMin }: PrivacyOptions,
  unit: PrivacyAsked['unit'],
): Pick<PrivacyAsked, 'mechanism' | 'invitedMin'> {
  if (invitedMin !== undefined && name !== 'distributed' && name !== 'skellam')
    fail('config-invalid', '--invited-min goes with --mechanism distributed or skellam')
  if (name === undefined) return {}
  if (unit !== 'organisation') fail('config-invalid', '--mechanism goes with --unit organisation')
  if (!isMechanism(name)) fail('config-invalid', `--mechanism takes one of ${Object.keys(MECHANISM_NAMES).join(', ')}`)
  if (invitedMin === undefined) return { mechanism: MECHANISM_NAMES[name] }
  const count = wholeNumber('--invited-min', invitedMin, HIDDEN_AMONG_MIN, INVITED_MAX)
  return { mechanism: MECHANISM_NAMES[name], invitedMin: count }
}

/** @throws config-invalid */
export function protectionNamed(name: string): Protection {
  return (
    PROTECTIONS.find((known) => known === name) ??
    fail('config-invalid', `--protect takes one of ${PROTECTIONS.join(', ')}`)
  )
}

/** @throws config-invalid */
export function purposeNamed(text: string): string {
  const parsed = purposeSchema.safeParse(text)
  if (!parsed.success) fail('config-invalid', `--purpose: ${parsed.error.issues[0]?.message ?? 'not a purpose'}`)
  return parsed.data
}

/** A rule and how many may lie, like `multi-krum:1`. @throws config-invalid */
export function robustNamed(text: string): RobustConfig {
  const [rule, f = '1', ...rest] = text.split(':')
  const parsed = robustConfigSchema.safeParse({ rule, f: Number(f) })
  if (!parsed.success || rest.length > 0 || !/^\d{1,2}$/.test(f))
    fail(
      'config-invalid',
      `--robust takes a rule and how many may lie, like multi-krum:1; rules: ${ROBUST_RULES.join(', ')}`,
    )
  return parsed.data
}

/** A method and the part of an update that is sent, like `random-k:0.1`. @throws config-invalid */
export function sparsifyNamed(text: string): SparsifyConfig {
  const [method, fraction = '', ...rest] = text.split(':')
  const parsed = sparsifySchema.safeParse({ method, fraction: Number(fraction) })
  if (!parsed.success || rest.length > 0)
    fail(
      'config-invalid',
      `--sparsify takes a method and a fraction up to 1, like random-k:0.1; methods: ${SPARSIFY_METHODS.join(', ')}`,
    )
  return parsed.data
}

/** @throws config-invalid */
export function modelKind(name: string = DEFAULT_KIND): ThreatModelKind {
  return (
    MODEL_KINDS.find((known) => known === name) ??
    fail('config-invalid', `--model takes one of ${MODEL_KINDS.join(', ')}`)
  )
}

export function wholeNumber(name: string, value: string, min: number, max: number): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < min || number > max || value.trim() === '')
    fail('config-invalid', `${name} takes a whole number from ${min} to ${max}, not "${value}"`)
  return number
}
