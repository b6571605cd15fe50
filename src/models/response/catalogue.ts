/**
 * The services that red can attack and the decoys that blue can put up, in the words of CAGE challenge 2 (TTCP CAGE
 * Working Group 2022, "Developer's Guide"; order of preference as tabulated in the README of CybORG++, Emerson et al.,
 * arXiv:2410.16324). Red prefers what stands first.
 */

export const EXPLOITS = [
  'ftp-traversal',
  'haraka-rce',
  'sql-injection',
  'https-rfi',
  'http-rfi',
  'eternal-blue',
  'blue-keep',
  'ssh-brute-force',
] as const

export type Exploit = (typeof EXPLOITS)[number]

export const DECOYS = ['femitter', 'vsftpd', 'apache', 'haraka', 'sshd', 'smss', 'tomcat', 'svchost'] as const

export type Decoy = (typeof DECOYS)[number]

/** The exploits that a decoy can pose for; it takes the first one that no real service of its host answers. */
export type DecoyPoses = Readonly<Record<Decoy, readonly Exploit[]>>

/** What each decoy is meant to catch. */
export const DECOY_POSES: DecoyPoses = {
  femitter: ['ftp-traversal'],
  vsftpd: ['ftp-traversal'],
  apache: ['sql-injection', 'http-rfi'],
  haraka: ['haraka-rce'],
  sshd: ['ssh-brute-force'],
  smss: ['eternal-blue'],
  tomcat: ['sql-injection', 'https-rfi'],
  svchost: ['blue-keep'],
}

/** What they catch in the challenge as it was run: its Vsftpd listens on the wrong port and poses as a web server. */
export const DECOY_POSES_PUBLISHED: DecoyPoses = { ...DECOY_POSES, vsftpd: ['sql-injection', 'http-rfi'] }

/** One bit per exploit: bit i is EXPLOITS[i]. */
export const exploitMask = (exploits: readonly Exploit[]): number =>
  exploits.reduce((mask, exploit) => mask | (1 << EXPLOITS.indexOf(exploit)), 0)
