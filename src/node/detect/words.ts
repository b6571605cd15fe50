/** Columns of a row in words, and their values in the units that people count in. */

import { NEVER } from '../../telemetry/features/transform.ts'

/** `share` lies in [-1, 1] as features/transform.ts makes it, `part` in [0, 1]. */
type Unit = 'count' | 'gap' | 'bytes' | 'duration' | 'share' | 'part' | 'surprise' | 'yes' | 'level'

type Entry = readonly [text: string, unit: Unit]

const spans = { '1m': 'minute', '10m': 'ten minutes', '1h': 'hour', '1d': 'day', '1w': 'week' } as const

/** The same count over several spans: `pair1m`, `pair1h` ... */
function counts(name: string, text: string, over: readonly (keyof typeof spans)[]): [string, Entry][] {
  return over.map((span) => [`${name}${span}`, [`${text} in the last ${spans[span]}`, 'count']])
}

function surprises(name: string, text: string): [string, Entry][] {
  return [
    [`${name}Surprise1m`, [`${text} in the last minute, against the last day`, 'surprise']],
    [`${name}Surprise1h`, [`${text} in the last hour, against the last week`, 'surprise']],
  ]
}

const WORDS: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ['pairGap', ['time since the source last contacted this destination', 'gap']],
  ['reverseGap', ['time since this destination last contacted the source', 'gap']],
  ['sourceGap', ['time since the source last contacted anyone', 'gap']],
  ['destinationGap', ['time since the destination was last contacted', 'gap']],
  ['sourceContactedGap', ['time since the source was last contacted itself', 'gap']],
  ['destinationContactsGap', ['time since the destination last contacted anyone', 'gap']],
  ['newPair', ['the source never contacted this destination before', 'yes']],
  ['reply', ['the destination contacted the source within the minute before', 'yes']],
  ...counts('pair', 'contacts of the source with this destination', ['1m', '1h', '1d', '1w']),
  ...counts('source', 'contacts of the source', ['1m', '10m', '1h', '1d']),
  ...counts('destination', 'contacts to the destination', ['1m', '10m', '1h', '1d']),
  ...counts('fanOut', 'different hosts that the source contacted', ['1m', '10m', '1h', '1d']),
  ...counts('fanIn', 'different hosts that contacted the destination', ['1m', '10m', '1h', '1d']),
  ['sourceContacted1h', ['contacts to the source itself in the last hour', 'count']],
  ['destinationContacts1h', ['contacts by the destination itself in the last hour', 'count']],
  ...surprises('pair', 'contacts of the source with this destination'),
  ...surprises('source', 'contacts of the source'),
  ...surprises('destination', 'contacts to the destination'),
  ...surprises('fanOut', 'different hosts that the source contacted'),
  ...surprises('fanIn', 'different hosts that contacted the destination'),
  ['pairSessions1w', ['occasions on which the two met in the last week', 'count']],
  ...counts('newOut', 'hosts that the source contacted for the first time', ['1h', '1d']),
  ...counts('newIn', 'hosts that contacted the destination for the first time', ['1h', '1d']),
  ['pairOfStream1h', ['part of these two in all traffic of the last hour', 'level']],
  ['sourceOfStream1h', ['part of the source in all traffic of the last hour', 'level']],
  ['destinationOfStream1h', ['part of the destination in all traffic of the last hour', 'level']],
  ['sourceOfStream1d', ['part of the source in all traffic of the last day', 'level']],
  ['destinationOfStream1d', ['part of the destination in all traffic of the last day', 'level']],
  ['newOutOfStream1h', ['part of the source in all first contacts of the last hour', 'level']],
  ['answers1h', ['contacts that came back from the destination in the last hour', 'count']],
  ['unanswered1h', ['contacts with this destination that nothing came back for', 'level']],
  ['pairBurst', ['contacts in the burst under way between the two', 'count']],
  ['pairBurstLength', ['length of the burst under way between the two', 'gap']],
  ['sourceBurst', ['contacts in the burst under way of the source', 'count']],
  ['sourceBurstLength', ['length of the burst under way of the source', 'gap']],
  ['sourceNovelty', ['different hosts among the contacts of the source in the last hour', 'share']],
  ['destinationNovelty', ['different hosts among the contacts to the destination in the last hour', 'share']],
  ['pairOfSource', ['this destination among the contacts of the source in the last hour', 'share']],
  ['pairOfDestination', ['this source among the contacts to the destination in the last hour', 'share']],
  ['pairInterval', ['usual time between contacts of the two', 'gap']],
  ['pairJitter', ['unevenness of the times between contacts of the two', 'level']],
  ['tcp', ['the protocol is TCP', 'yes']],
  ['udp', ['the protocol is UDP', 'yes']],
  ['icmp', ['the protocol is ICMP', 'yes']],
  ['highPort', ['the destination port is an ephemeral one', 'yes']],
  ['nameService', ['the service resolves names', 'yes']],
  ['web', ['the service is the web', 'yes']],
  ['fileService', ['the service is file sharing or a directory', 'yes']],
  ['remoteAccess', ['the service is remote access', 'yes']],
  ['mail', ['the service is mail', 'yes']],
  ['machine', ['the service is one between machines, such as time or management', 'yes']],
  ['sourcePortGap', ['time since the source last used this destination port anywhere', 'gap']],
  ['pairPortGap', ['time since the source last used this port of the destination', 'gap']],
  ['portFanOut1h', ['different ports that the source used in the last hour', 'count']],
  ['failed', ['the connection was refused or not answered', 'yes']],
  ['completed', ['the connection was completed', 'yes']],
  ['sourceFailures', ['failed connections among those of the source in the last hour', 'share']],
  ['destinationFailures', ['failed connections among those to the destination in the last hour', 'share']],
  ['bytesKnown', ['the log knows the bytes of the connection', 'yes']],
  ['bytesOut', ['bytes sent by the source', 'bytes']],
  ['bytesIn', ['bytes sent by the destination', 'bytes']],
  ['bytesBalance', ['bytes sent over bytes received', 'level']],
  ['duration', ['duration of the connection', 'duration']],
  ['bytesDeviation', ['bytes sent against the mean of the two', 'level']],
  ['pairBytes1d', ['bytes sent between the two in the last day', 'bytes']],
  ['sourceSent1h', ['bytes sent by the source in the last hour', 'bytes']],
  ['sourceLocal', ['the source belongs to the organisation', 'yes']],
  ['destinationLocal', ['the destination belongs to the organisation', 'yes']],
  ['sourcePublic', ['the source is an address of the internet', 'yes']],
  ['destinationPublic', ['the destination is an address of the internet', 'yes']],
  ['sameSegment', ['both are in one network segment', 'yes']],
  ['sourceLifetime', ['contacts of the source ever', 'count']],
  ['destinationLifetime', ['contacts to the destination ever', 'count']],
  ['sourceDegree', ['different hosts that the source ever contacted', 'count']],
  ['destinationDegree', ['different hosts that ever contacted the destination', 'count']],
  ['sourceAge', ['time since the source was first seen', 'gap']],
  ['destinationAge', ['time since the destination was first seen', 'gap']],
  ['hourSine', ['hour of the day (sine)', 'level']],
  ['hourCosine', ['hour of the day (cosine)', 'level']],
  ['sourceKnowsDestination', ['recent links of the source that lead to the destination', 'part']],
  ['destinationKnowsSource', ['recent links of the destination that lead to the source', 'part']],
  ['sourceSharesPeers', ['recent links of the source to hosts that the destination meets too', 'part']],
  ['destinationSharesPeers', ['recent links of the destination to hosts that the source meets too', 'part']],
  ['sourceDistinctPeers', ['different hosts among the recent links of the source', 'part']],
  ['destinationDistinctPeers', ['different hosts among the recent links of the destination', 'part']],
  ['sourceLinks', ['recent links that are known of the source', 'part']],
  ['destinationLinks', ['recent links that are known of the destination', 'part']],
])

const plain = (value: number): string =>
  value >= 10 ? Math.round(value).toLocaleString('en') : value.toFixed(1).replace(/\.0$/, '')

/** Seconds in the largest unit of which there is at least one. */
export function spanText(seconds: number): string {
  for (const [name, length] of [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
  ] as const)
    if (seconds >= length) return `${plain(seconds / length)} ${name}`
  return `${plain(seconds)} s`
}

function bytesText(bytes: number): string {
  for (const [name, size] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const)
    if (bytes >= size) return `${plain(bytes / size)} ${name}`
  return `${plain(bytes)} B`
}

function levelText(value: number): string {
  const size = Math.abs(value) < 0.25 ? 'middling' : Math.abs(value) < 1 ? '' : 'very '
  return size === 'middling' ? size : `${size}${value < 0 ? 'low' : 'high'}`
}

function surpriseText(value: number): string {
  if (Math.abs(value) < 0.5) return 'as expected'
  return `${Math.abs(value) >= 1.5 ? 'far ' : ''}${value < 0 ? 'below' : 'above'} what is expected`
}

/** Inverses of features/transform.ts, for reading only. */
const READ: Readonly<Record<Unit, (value: number) => string>> = {
  count: (value) => (value >= 3 ? 'more than 7,000' : plain(Math.max(0, Math.expm1((value + 1) / 0.45)))),
  gap: (value) => (value >= NEVER - 1e-6 ? 'never, or over 30 d' : spanText(Math.max(0, Math.expm1((value + 1) * 5)))),
  bytes: (value) => bytesText(Math.max(0, Math.expm1((value + 1) * 5))),
  duration: (value) => spanText(Math.max(0, Math.expm1((value + 1) * 3))),
  share: (value) => `${Math.round(((value + 1) / 2) * 100)} %`,
  part: (value) => `${Math.round(value * 100)} %`,
  surprise: surpriseText,
  yes: (value) => (value >= 0.5 ? 'yes' : 'no'),
  level: levelText,
}

/** What a column says; of one that is not known here, its name. */
export function featureText(name: string, value: number, usual: number): string {
  const [text, unit] = WORDS.get(name) ?? [name, 'level' as const]
  const usually = unit === 'yes' ? `usually in ${Math.round(usual * 100)} %` : `usually ${READ[unit](usual)}`
  return `${text}: ${READ[unit](value)} (${usually})`
}
