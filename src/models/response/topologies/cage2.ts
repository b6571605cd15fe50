/**
 * The network of CAGE challenge 2: 13 hosts in three subnets. Hosts, links, access rules and values: `Scenario2.yaml` of
 * github.com/cage-challenge/cage-challenge-2. Services and decoys by host, accounts that exploits land in, and the
 * defects that the published figures include: CybORG++ (Emerson, Bates, Hicks, Mavroudis, arXiv:2410.16324), README and
 * the data tables of its MiniCAGE.
 */

import { DECOY_POSES, DECOY_POSES_PUBLISHED, type Exploit } from '../catalogue.ts'
import type { Host, Topology } from '../topology.ts'

const WINDOWS_SERVER: readonly Exploit[] = ['ssh-brute-force', 'eternal-blue', 'blue-keep', 'http-rfi', 'https-rfi']
const LINUX_WEB: readonly Exploit[] = ['blue-keep', 'https-rfi', 'http-rfi', 'haraka-rce']

const enterprise = { subnet: 'enterprise', confidentialityLoss: 1 } as const
const operational = {
  subnet: 'operational',
  confidentialityLoss: 0.1,
  services: ['ssh-brute-force'],
  decoys: [],
} as const
const user = { subnet: 'user', confidentialityLoss: 0.1, usedByGreen: true } as const

const internalServer = {
  ...enterprise,
  services: WINDOWS_SERVER,
  systemServices: ['blue-keep', 'eternal-blue'],
  deadServices: ['eternal-blue'],
  decoys: ['femitter'],
  usedByGreen: true,
} as const

export const CAGE2_HOSTS = [
  {
    ...enterprise,
    name: 'defender',
    role: 'fortress',
    services: ['ssh-brute-force'],
    decoys: ['haraka', 'tomcat', 'apache', 'vsftpd'],
  },
  {
    ...enterprise,
    name: 'enterprise0',
    services: ['ssh-brute-force'],
    decoys: ['haraka', 'tomcat', 'vsftpd', 'apache'],
    usedByGreen: true,
    alwaysSeen: true,
  },
  { ...internalServer, name: 'enterprise1' },
  { ...internalServer, name: 'enterprise2', reveals: ['operational-server'] },
  { ...operational, name: 'operational0' },
  { ...operational, name: 'operational1' },
  { ...operational, name: 'operational2' },
  {
    ...operational,
    name: 'operational-server',
    confidentialityLoss: 1,
    availabilityLoss: 10,
    decoys: ['haraka', 'apache', 'tomcat', 'vsftpd'],
  },
  { ...user, name: 'user0', role: 'foothold', confidentialityLoss: 0, services: [], decoys: [] },
  {
    ...user,
    name: 'user1',
    services: ['ssh-brute-force', 'ftp-traversal'],
    systemServices: ['ftp-traversal'],
    decoys: ['apache', 'tomcat', 'smss', 'svchost'],
    reveals: ['enterprise1'],
  },
  {
    ...user,
    name: 'user2',
    services: ['eternal-blue', 'blue-keep'],
    systemServices: ['eternal-blue'],
    decoys: ['femitter', 'tomcat', 'apache', 'sshd'],
    reveals: ['enterprise1'],
  },
  {
    ...user,
    name: 'user3',
    services: LINUX_WEB,
    systemServices: ['haraka-rce'],
    deadServices: ['blue-keep'],
    decoys: ['vsftpd', 'sshd'],
    reveals: ['enterprise0'],
  },
  {
    ...user,
    name: 'user4',
    services: [...LINUX_WEB, 'sql-injection'],
    systemServices: ['sql-injection', 'haraka-rce'],
    decoys: ['vsftpd'],
    reveals: ['enterprise0'],
  },
] as const satisfies readonly Host[]

/** As the challenge was run, defects included: what the published figures were measured on. */
export const CAGE2: Topology = {
  name: 'cage2',
  subnets: [
    { name: 'enterprise', acceptsFrom: ['enterprise', 'operational', 'user'] },
    { name: 'operational', acceptsFrom: ['enterprise', 'operational'] },
    { name: 'user', acceptsFrom: ['enterprise', 'operational', 'user'] },
  ],
  slots: CAGE2_HOSTS,
  target: 'operational-server',
  path: [
    { scan: 'user' },
    { take: 'user1' },
    { take: 'enterprise1' },
    { scan: 'enterprise' },
    { take: 'enterprise2' },
    { take: 'operational-server' },
  ],
  decoyPoses: DECOY_POSES_PUBLISHED,
  stickyDecoys: ['femitter'],
}

const repaired = (host: Host): Host => {
  const { alwaysSeen: _seen, ...rest } = host
  if (host.name !== 'user3') return rest
  const { deadServices: _dead, ...user3 } = rest
  return { ...user3, services: [...host.services, 'sql-injection'] }
}

/** The same network without the defects: decoys catch what they are meant to and a restore takes them all away. */
export const CAGE2_REPAIRED: Topology = {
  ...CAGE2,
  name: 'cage2-repaired',
  slots: CAGE2_HOSTS.map(repaired),
  decoyPoses: DECOY_POSES,
  stickyDecoys: [],
}
