/** The columns of a feature row, in order, in groups that can be left out. */

export interface FeatureGroup {
  readonly name: string
  /** Identity: tells who the ends are or how long they have been there, rather than what they do. Off by default. */
  readonly identity: boolean
  readonly features: readonly string[]
}

export const FEATURE_GROUPS: readonly FeatureGroup[] = [
  {
    name: 'recency',
    identity: false,
    features: [
      'pairGap',
      'reverseGap',
      'sourceGap',
      'destinationGap',
      'sourceContactedGap',
      'destinationContactsGap',
      'newPair',
      'reply',
    ],
  },
  {
    name: 'volume',
    identity: false,
    features: [
      'pair1m',
      'pair1h',
      'pair1d',
      'source1m',
      'source10m',
      'source1h',
      'source1d',
      'destination1m',
      'destination10m',
      'destination1h',
      'destination1d',
      'fanOut1m',
      'fanOut10m',
      'fanOut1h',
      'fanOut1d',
      'fanIn1m',
      'fanIn10m',
      'fanIn1h',
      'fanIn1d',
      'sourceContacted1h',
      'destinationContacts1h',
    ],
  },
  {
    name: 'surprise',
    identity: false,
    features: [
      'pairSurprise1m',
      'sourceSurprise1m',
      'destinationSurprise1m',
      'fanOutSurprise1m',
      'fanInSurprise1m',
      'pairSurprise1h',
      'sourceSurprise1h',
      'destinationSurprise1h',
      'fanOutSurprise1h',
      'fanInSurprise1h',
    ],
  },
  {
    name: 'familiarity',
    identity: false,
    features: ['pair1w', 'pairSessions1w', 'newOut1h', 'newOut1d', 'newIn1h', 'newIn1d'],
  },
  {
    name: 'streamShares',
    identity: false,
    features: [
      'pairOfStream1h',
      'sourceOfStream1h',
      'destinationOfStream1h',
      'sourceOfStream1d',
      'destinationOfStream1d',
      'newOutOfStream1h',
    ],
  },
  { name: 'answers', identity: false, features: ['answers1h', 'unanswered1h'] },
  {
    name: 'bursts',
    identity: false,
    features: ['pairBurst', 'pairBurstLength', 'sourceBurst', 'sourceBurstLength'],
  },
  {
    name: 'shares',
    identity: false,
    features: ['sourceNovelty', 'destinationNovelty', 'pairOfSource', 'pairOfDestination'],
  },
  { name: 'rhythm', identity: false, features: ['pairInterval', 'pairJitter'] },
  {
    name: 'service',
    identity: false,
    features: [
      'tcp',
      'udp',
      'icmp',
      'highPort',
      'nameService',
      'web',
      'fileService',
      'remoteAccess',
      'mail',
      'machine',
      'sourcePortGap',
      'pairPortGap',
      'portFanOut1h',
    ],
  },
  { name: 'outcome', identity: false, features: ['failed', 'completed', 'sourceFailures', 'destinationFailures'] },
  {
    name: 'bytes',
    identity: false,
    features: [
      'bytesKnown',
      'bytesOut',
      'bytesIn',
      'bytesBalance',
      'duration',
      'bytesDeviation',
      'pairBytes1d',
      'sourceSent1h',
    ],
  },
  {
    name: 'direction',
    identity: false,
    features: ['sourceLocal', 'destinationLocal', 'sourcePublic', 'destinationPublic', 'sameSegment'],
  },
  {
    name: 'identity',
    identity: true,
    features: [
      'sourceLifetime',
      'destinationLifetime',
      'sourceDegree',
      'destinationDegree',
      'sourceAge',
      'destinationAge',
      'hourSine',
      'hourCosine',
    ],
  },
]

/** Column names with or without the identity group. */
export function featureNames(options: { readonly identity: boolean }): readonly string[] {
  return FEATURE_GROUPS.filter((group) => options.identity || !group.identity).flatMap((group) => group.features)
}

export const FEATURE_NAMES: readonly string[] = featureNames({ identity: false })
export const FEATURE_COUNT: number = FEATURE_NAMES.length
