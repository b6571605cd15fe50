/** Labelled lines as logs have them, and lines that look alike and hold nothing. */

import { prng } from '../../../base/prng.ts'
import * as data from './data.ts'
import {
  ALPHANUMERIC,
  base64url,
  characters,
  digits,
  hex,
  type Labelled,
  letters,
  line,
  type Piece,
  pick,
  type Random,
} from './marked.ts'

type Maker = (random: Random) => Labelled

const user = (random: Random): Piece => ['user-name', data.userName(random)]
const address = (random: Random): Piece => ['ip-address', pick(random, [data.ipv4, data.ipv4, data.ipv6])(random)]
const v4 = (random: Random): Piece => ['ip-address', data.ipv4(random)]
const port = (random: Random): string => String(1024 + random.below(60_000))

/** Lines that hold something. */
export const POSITIVES: readonly Maker[] = [
  (r) =>
    line(
      `sshd[${digits(r, 4)}]: Accepted publickey for `,
      user(r),
      ' from ',
      v4(r),
      ` port ${port(r)} ssh2: RSA SHA256:${base64url(r, 43)}`,
    ),
  (r) =>
    line(
      `sshd[${digits(r, 4)}]: Failed password for invalid user `,
      user(r),
      ' from ',
      address(r),
      ` port ${port(r)} ssh2`,
    ),
  (r) => line('pam_unix(sshd:session): session opened for user ', user(r), '(uid=1001) by (uid=0)'),
  (r) => line(`sudo[${digits(r, 4)}]:  `, user(r), ' : TTY=pts/0 ; PWD=/tmp ; USER=root ; COMMAND=/usr/bin/apt update'),
  (r) =>
    line(
      `type=USER_LOGIN msg=audit(16${digits(r, 8)}.123:456): acct="`,
      user(r),
      '" hostname=? addr=',
      v4(r),
      ' res=success',
    ),
  (r) => line('C:\\Users\\', user(r), '\\AppData\\Local\\Temp\\', `${letters(r, 6)}.exe -k netsvcs`),
  (r) => line('open /home/', user(r), '/.ssh/known_hosts: permission denied'),
  (r) => line(`logon of ${pick(r, ['CORP', 'EMEA', 'BANK-A'])}\\`, user(r), ` with type ${1 + r.below(10)}`),
  (r) => line(`net user `, user(r), ' ', ['password', data.password(r)], ' /add'),
  (r) =>
    line(
      'dovecot: imap-login: Login: user=<',
      ['email', data.mail(r)],
      '>, method=PLAIN, rip=',
      v4(r),
      ', lip=',
      v4(r),
    ),
  (r) =>
    line(
      `postfix/smtp[${digits(r, 5)}]: ${hex(r, 10).toUpperCase()}: to=<`,
      ['email', data.mail(r)],
      `>, relay=mx.example[`,
      v4(r),
      ']:25, status=sent',
    ),
  (r) => line('GET /unsubscribe?mail=', ['email', data.mail(r)], '&list=7 HTTP/1.1'),
  (r) => line('Kerberos client ', ['email', `${data.userName(r)}@CORP.EXAMPLE.ORG`], ' asked for krbtgt'),
  (r) =>
    line(
      'POST /login?lang=en&',
      `${pick(r, ['password', 'passwd', 'pwd'])}=`,
      ['password', data.password(r)],
      ' HTTP/1.1',
    ),
  (r) => line('{"level":"debug","config":{"db_host":"db1","password":"', ['password', data.password(r)], '"}}'),
  (r) => line('mysql -h db1 -u app -p', ['password', data.password(r)], ' -e "show tables"'),
  (r) =>
    line(
      'connect to ftp://',
      user(r),
      ':',
      ['password', data.password(r).replace(/[!#$%*+]/g, 'q')],
      '@files.example.org/incoming',
    ),
  (r) =>
    line(
      `An account was ${pick(r, ['successfully logged on', 'logged off'])}.  Subject:  Account Name:${pick(r, ['\t\t', ' ', '  ', '\\t\\t'])}`,
      user(r),
      `  Logon ID: 0x${hex(r, 5)}`,
    ),
  (r) => line('The computer attempted to validate the credentials. Logon Account:\t', user(r), ' Error Code: 0x0'),
  (r) => line('pam_unix(su:session): session opened for user root(uid=0) by ', user(r), `(uid=1${digits(r, 3)})`),
  (r) => line(`vpn[${digits(r, 4)}]: User `, user(r), pick(r, [' connected', ' authenticated', ', group staff', '.'])),
  (r) =>
    line('app: user ', user(r), ` ${pick(r, ['logged in', 'logged out', 'has changed the policy'])} (${digits(r, 3)})`),
  (r) => line(`ftpd[${digits(r, 4)}]: login `, user(r), ` on tty${r.below(9)}`),
  (r) => line('portal: logged in as ', user(r), ` after ${digits(r, 2)} s`),
  (r) =>
    line(
      `${pick(r, ['opened file:///Users/', 'opened file://localhost/home/', 'opened file:///C:/Users/'])}`,
      user(r),
      '/notes.txt',
    ),
  (r) =>
    line(
      `exec tool ${pick(r, ['--password', '--db-password', '--passphrase', '-storepass'])} `,
      ['password', data.password(r)],
      ' --verbose',
    ),
  (r) => line('exec deployctl --token ', ['token', characters(r, ALPHANUMERIC, 32)], ' --wait'),
  (r) => line('Authorization: Bearer ', ['token', data.token(r)]),
  (r) => line('Authorization: Basic ', ['token', `${characters(r, ALPHANUMERIC, 27)}1=`]),
  (r) =>
    line(
      `deploy: exported ${pick(r, ['API_KEY', 'api_key', 'client_secret', 'access_token'])}=`,
      ['token', characters(r, ALPHANUMERIC, 32)],
      ' for job 12',
    ),
  (r) => line('curl -H "X-Api-Key: ', ['token', hex(r, 40)], '" https://api.example.org/v1/hosts'),
  (r) => line('webhook called with ', ['token', data.token(r)], ' by job'),
  (r) => line('git clone failed: ', ['token', data.token(r)], ' was rejected'),
  (r) =>
    line(
      'wrote ',
      [
        'private-key',
        `-----BEGIN ${pick(r, ['RSA ', 'EC ', 'OPENSSH ', ''])}PRIVATE KEY-----\\n${base64url(r, 120)}\\n-----END PRIVATE KEY-----`,
      ],
      ' to disk',
    ),
  (r) => line('payment of order 4711 with card ', ['card', data.card(r)], ' declined'),
  (r) => line('{"pan":"', ['card', data.card(r)], '","exp":"12/29"}'),
  (r) => line('transfer from ', ['iban', data.ibanNumber(r)], ' booked'),
  (r) => line('SEPA IBAN: ', ['iban', data.ibanNumber(r)], ', BIC INGBNL2A'),
  (r) => {
    const { word, value } = data.nationalId(r)
    return line('form field ', word, ['national-id', value], ' accepted')
  },
  (r) => {
    const { word, value } = data.nationalId(r)
    return line(`audit: customer record: ${word}`, ['national-id', value])
  },
  (r) => line('SIP INVITE from ', ['phone', data.phone(r)], ' to queue 3'),
  (r) => line('sms sent to ', ['phone', data.phone(r)], `, id ${hex(r, 8)}`),
  (r) => line('DHCPACK on ', v4(r), ' to ', ['mac-address', data.macAddress(r)], ' via eth0'),
  (r) => line('neighbour ', address(r), ' lladdr ', ['mac-address', data.macAddress(r)], ' STALE'),
  (r) => line('DROP IN=eth0 SRC=', v4(r), ' DST=', v4(r), ` PROTO=TCP SPT=${port(r)} DPT=443`),
  (r) => line('listening on [', ['ip-address', data.ipv6(r)], ']:8443'),
]

/** Numbers in the form of something, with its check failing or by another name. */
const nearCard = (r: Random): string => {
  const head = `4${digits(r, 14)}`
  const valid = [...'0123456789'].find(
    (last) =>
      [...(head + last)]
        .reverse()
        .reduce((s, d, i) => s + Math.floor((Number(d) * (1 + (i % 2))) / 10) + ((Number(d) * (1 + (i % 2))) % 10), 0) %
        10 ===
      0,
  )
  return head + String((Number(valid) + 1 + r.below(9)) % 10)
}

/** Lines that hold nothing, but look as if. */
export const NEGATIVES: readonly Maker[] = [
  (r) => line(`kernel: version 5.${r.below(20)}.${r.below(200)}-${r.below(99)}.${r.below(9)}.${r.below(9)} booted`),
  (r) => line(`snmp oid 1.3.6.1.4.1.${digits(r, 4)}.1.2.${r.below(9)} polled`),
  (r) => line(`file ${hex(r, 32)} sha256=${hex(r, 64)} clean`),
  (r) => line(`uuid ${hex(r, 8)}-${hex(r, 4)}-4${hex(r, 3)}-a${hex(r, 3)}-${hex(r, 12)} created`),
  (r) => line(`order ${nearCard(r)} shipped`),
  (r) => line(`flow_id ${1 + r.below(8)}${digits(r, 15)}.${digits(r, 3)} closed`),
  (r) => line(`metric t=16${digits(r, 11)} v=${digits(r, 11)} n=${digits(r, 9)}`),
  (r) => line(`account DE00${digits(r, 18)} unknown`),
  (r) => line(`tracking number 1Z${digits(r, 16)} scanned`),
  (r) => line(`GET /static/icon@2x.png HTTP/1.1 ${digits(r, 3)}`),
  (r) => line(`npm install @scope/pkg@${r.below(9)}.${r.below(20)}.${r.below(9)} done`),
  (r) => line(`systemd: Started getty@tty1.service after ${digits(r, 3)} ms`),
  (r) => line(`password for the vault: expired; password=required for ${digits(r, 3)} hosts`),
  (r) => line(`sshd: Accepted publickey for root from console; password authentication disabled (${digits(r, 4)})`),
  (r) => line(`session opened for user root by (uid=0) pid ${digits(r, 5)}`),
  (r) => line(`user=admin action=login result=fail count=${digits(r, 3)}`),
  (r) => line(`logon of NT AUTHORITY\\SYSTEM with type ${r.below(10)}`),
  (r) => line(`registry HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run ${hex(r, 8)}`),
  (r) => line(`image C:\\Windows\\System32\\svchost.exe loaded ${letters(r, 6)}.dll`),
  (r) =>
    line(
      `UA Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/1${digits(r, 2)}.0.${digits(r, 4)}.${digits(r, 2)} Safari/537.36`,
    ),
  (r) => line(`query ${letters(r, 8)}.${letters(r, 5)}.example A ${digits(r, 2)} NOERROR`),
  (r) => line(`at 12:${10 + r.below(49)}:${10 + r.below(49)} +0200 drift +${digits(r, 2)} ms`),
  (r) => line(`cert SHA1 ${Array.from({ length: 20 }, () => hex(r, 2).toUpperCase()).join(':')}`),
  (r) => line(`time ${10 + r.below(13)}:${10 + r.below(49)}:${10 + r.below(49)} cpu 0.${digits(r, 2)}`),
  (r) => line(`-----BEGIN CERTIFICATE-----\\n${base64url(r, 80)}\\n-----END CERTIFICATE-----`),
  (r) => line(`csrf token missing on /form (${digits(r, 3)})`),
  (r) => line(`bearer of channel ${r.below(9)} released; basic rate ${digits(r, 4)}`),
  (r) => line(`part no. ${digits(r, 8)}Q-${digits(r, 2)}, lot ${digits(r, 6)}-${digits(r, 4)}`),
  (r) => line(`ean ${digits(r, 13)}0 listed; isbn 978-3-16-${digits(r, 6)}-0`),
  (r) => line(`coordinates 48.${digits(r, 5)}, +11.${digits(r, 5)} fixed`),
]

/** Lines in which the words stand that announce a name or a secret, and none follows. */
const EMPTY_PHRASES: readonly Maker[] = [
  (r) => line(`User-Agent: curl/7.${digits(r, 2)}.0, user agent string of ${digits(r, 2)} bytes`),
  (r) =>
    line(
      `login ${pick(r, ['failed', 'page', 'attempt', 'timed out', 'successful', 'from console'])} (${digits(r, 3)})`,
    ),
  (r) =>
    line(
      `user ${pick(r, ['not found', 'is unknown', 'interface ready', 'space 4096', 'logged out', 'session closed'])} ${digits(r, 4)}`,
    ),
  (r) => line(`logged in as ${pick(r, ['root', 'admin', 'guest'])}, login shell started in ${digits(r, 3)} ms`),
  (r) =>
    line(
      `Account Name: ${pick(r, ['SYSTEM', 'ANONYMOUS LOGON', '-', `WS${digits(r, 3)}$`])} Account Domain: NT AUTHORITY`,
    ),
  (r) =>
    line(`tool: the --password option is required; --token must be a file, --password-file /etc/tool/${letters(r, 5)}`),
  (r) => line(`opened file:///usr/share/doc/${letters(r, 6)}/README, file:///C:/Windows/${letters(r, 6)}.ini`),
  (r) => line(`stepped by (uid=0) and by ${digits(r, 3)} (uid 0)`),
]

const HARMLESS = [...NEGATIVES, ...EMPTY_PHRASES]

/** `count` lines, half of them with something in them; the same for the same seed. */
export function corpus(seed: string, count: number): Labelled[] {
  const random = prng(`sanitise/corpus/${seed}`)
  return Array.from({ length: count }, (_, i) => pick(random, i % 2 === 0 ? POSITIVES : HARMLESS)(random))
}
