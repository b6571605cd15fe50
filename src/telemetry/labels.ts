/** What the labels of different sources mean here. */

/** A label column of a labelled Zeek log (CTU, IoT-23, our generator); anything else is unknown, not benign. */
export function labelOf(text: string): 'benign' | 'attack' | undefined {
  switch (text.toLowerCase()) {
    case 'benign':
    case 'normal':
      return 'benign'
    case 'malicious':
    case 'attack':
      return 'attack'
    default:
      return undefined
  }
}

/**
 * DARPA-98 attacks that announce themselves by volume alone, by the corpus's names; without them 128,748 positives
 * remain. Denial of service of ATT&CK: T1498 (network) and T1499 (endpoint).
 */
const FLOODS: ReadonlySet<string> = new Set([
  'neptune',
  'neptunettl',
  'smurf',
  'smurfttl',
  'snmpgetattack',
  'snmpguess',
  'pod',
  'back',
  'mailbomb',
  'teardrop',
  'apache2',
  'processtable',
  'land',
  'udpstorm',
])

/** True for attacks of sheer volume. An attack that is not a flood is called stealthy. */
export function isFlood(technique: string): boolean {
  return FLOODS.has(technique) || /^T149[89](\.|$)/.test(technique)
}
