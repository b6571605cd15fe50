/** Who somebody is or how to reach them: mail addresses, user names by what stands around them, telephone numbers. */

import { type Detector, matches } from './detector.ts'

/** RFC 5321 dot-atoms; quoted local parts are rare enough in logs to be left alone. Kerberos principals look the same. */
const EMAIL =
  /(?<![A-Za-z0-9._%+@-])[A-Za-z0-9](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_%+-])?@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])/g
/** Files that builders name `icon@2x.png`, and packages with versions, are no mailboxes. */
const NO_MAILBOX = /@\d+x\.[a-z]{2,5}$|\.(?:png|jpe?g|gif|svg|webp|css|js|service|socket|target|timer|mount)$/i

/** What comes before the host of a URL is a user and a password, which others look for. */
const LOOK_BACK = 256

export const emails: Detector = function* (text) {
  if (!text.includes('@')) return
  yield* matches('email', text, EMAIL, (value, { index }) => {
    const inUrl = /:\/\/[^\s/@]*$/.test(text.slice(Math.max(0, index - LOOK_BACK), index))
    return !inUrl && !NO_MAILBOX.test(value)
  })
}

const NAME = String.raw`(?<value>[\p{L}\p{N}_][\p{L}\p{N}_.$@+-]{0,63})`
const pattern = (source: string, flags = 'gu'): RegExp => new RegExp(source, flags)
/** Phrases in which OpenSSH, PAM, sudo, Windows and web servers name an account. */
const PHRASES: readonly RegExp[] = [
  pattern(
    String.raw`\b(?:Accepted|Failed) (?:password|publickey|keyboard-interactive/pam|none) for (?:invalid user )?${NAME} from `,
  ),
  pattern(String.raw`\b[Ii]nvalid user ${NAME} from `),
  pattern(
    String.raw`\b(?:Disconnected from|Connection closed by|Connection reset by)(?: authenticating| invalid)? user ${NAME} `,
  ),
  pattern(String.raw`\bsession (?:opened|closed) for user ${NAME}`),
  pattern(String.raw`\bby ${NAME}\(uid=\d`),
  // Messages of Windows as they are rendered: tabs, also as forwarders escape them.
  pattern(
    String.raw`\b(?:(?:Account|User|Logon|Client|Caller) Name|(?:Logon|Target|Source) Account):(?:\s|\\[rnt]){0,8}["']?${NAME}`,
  ),
  pattern(String.raw`\bsession \d{1,9} (?:of|for) user ${NAME}`, 'giu'),
  pattern(
    String.raw`\b(?:logname|ruser|user|username|usr|suser|duser|login|account|acct|rhost_user|AUTH_USER|TargetUserName|SubjectUserName|AccountName|user_name|userid)\s{0,1}[=:]\s{0,1}["'\\]{0,2}${NAME}`,
    'giu',
  ),
  pattern(String.raw`\bsudo(?:\[\d{1,9}\])?:\s{1,8}${NAME} : `),
  pattern(String.raw`\b(?:for|by|to) user ["']${NAME}["']`),
  pattern(String.raw`\buser ["']${NAME}["']`, 'giu'),
  pattern(String.raw`\bnet1?(?:\.exe)?\s+user\s+${NAME}`, 'giu'),
  pattern(
    String.raw`(?:^|[\s"'=;(<]|\bfile://[\w.-]{0,64})/(?:home|Users)/(?<value>[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,63})(?=[/\s"':;,)>?#&]|$)`,
  ),
  pattern(
    String.raw`\b[A-Za-z]:[\\/]{1,2}(?:Users|Documents and Settings)[\\/]{1,2}(?<value>[\p{L}\p{N}_][\p{L}\p{N}_. -]{0,63}?)(?=[\\/]|["':;,)>?#&]|$)`,
  ),
  pattern(
    String.raw`(?<![\p{L}\p{N}_\\.:/-])(?!HK(?:LM|CU|CR|U)\b|NT AUTHORITY|BUILTIN|SYSTEM\\)[A-Z][A-Z0-9-]{1,14}\\{1,2}(?<value>[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,63})(?![\p{L}\p{N}_.$\\-])`,
  ),
  pattern(String.raw`\b[a-z][a-z0-9+.-]{1,20}://(?<value>[^\s:/@"']{1,64}):[^\s/@"']{1,256}@`, 'giu'),
  pattern(
    String.raw`\b(?:uid|userPrincipalName|sAMAccountName|CN)=(?<value>[\p{L}\p{N}_][\p{L}\p{N}_. -]{0,63}),\s?(?:ou|dc|cn)=`,
    'giu',
  ),
]
/** Nothing of a longer name, of a domain before an account, or of an assignment. */
const WHOLE = String.raw`(?![\p{L}\p{N}_.$@+=\\-])`
/** Phrases of plain prose: what follows may as well be another word, so common ones are let be. */
const PROSE: readonly RegExp[] = [
  pattern(String.raw`(?<![\p{L}\p{N}_-])user\s{1,2}${NAME}${WHOLE}`, 'giu'),
  pattern(
    String.raw`(?<![\p{L}\p{N}_/-])(?:login|logon|log in|logged (?:in|on))\s{1,2}(?:(?:as|by|for|of) )?${NAME}${WHOLE}`,
    'giu',
  ),
]
/** Words that follow "user" or "login" in messages. A person who has one for an account is not found by these phrases. */
const PROSE_WORDS = new Set(
  'a able access accepted account accounts action activity added agent all already and any application are as at attempt attempts attribute authenticated authentication authorised authorized banned banner been belongs blocked button by can canceled cancelled cannot changed class clicked closed code command complete completed connected connection contact context control could count create created credential credentials data database day defined delay deleted denied details device did directory disabled disconnected display does domain domains encountered entered entry env environment error errors event events exceeded exists experience expired failed failure failures feedback field file first flow for form found from function given grace granted group groups guide had handler has have history home hook host id identifier identity if in incorrect info information initiated input installed interaction interface into invalid is it keytab kind last level limit limits list locale locked logged logging login logins logoff logon logout logs lookup lost mail manager management manual mapping may menu message method missing mode module must name named names namespace namespaces never new no not notification now nt object of off ok on once only operation option or out over page panel parameter password permission permissions policy portal preference preferences privilege privileges process processes profile profiles prompt property provided pwd query quota ran received record refused registered registration rejected removed request requested requests required response retries retry rights role roles root running runtime screen script selected server service session sessions set setting settings shall shell should side sign signed since sites slice source space started state statistics status stopped store string succeeded success successful successfully suspended table takes that the then this time timed timeout timer times to token tokens traffic tried try type unknown unlocked until update updated url usage used uses using value variable via view wants was were when which while who will window with within without would'.split(
    ' ',
  ),
)

const isNoWord = (name: string): boolean => !PROSE_WORDS.has((/^[\p{L}\p{N}]*/u.exec(name)?.[0] ?? '').toLowerCase())

/** Accounts that every system has name nobody. */
const COMMON = new Set(
  'root admin administrator administrateur system guest nobody daemon www-data sshd postgres mysql default public anonymous unknown null none localsystem networkservice local service network services defaultaccount all any user users username login test oracle ubuntu ec2-user git bin sys sync games man lp mail news uucp proxy backup list irc gnats systemd-network systemd-resolve messagebus krbtgt true false is was not has from and the nologin su-l dwm-1 umfd-0 authority'.split(
    ' ',
  ),
)

/** Whether an account is one that every system has; also Windows' own domains. */
export const isCommonAccount = (name: string): boolean =>
  COMMON.has(name.toLowerCase()) ||
  /^(?:NT AUTHORITY|NT SERVICE|BUILTIN|WORKGROUP|Window Manager|Font Driver Host)(?:\\\\.*)?$/i.test(name)

const isPerson = (name: string): boolean =>
  !COMMON.has(name.toLowerCase()) && !/^(?:\d{1,9}|0x[0-9a-f]+|S-1-.*|.*\$)$/i.test(name)

export const userNames: Detector = function* (text) {
  for (const phrase of PHRASES) yield* matches('user-name', text, phrase, isPerson)
  for (const phrase of PROSE) yield* matches('user-name', text, phrase, (name) => isPerson(name) && isNoWord(name))
}

/**
 * ITU-T E.164 numbers as persons write them internationally: `+`, country code, 8 to 15 digits. National forms are not
 * looked for: in logs they cannot be told from other numbers.
 */
const PHONE = /(?<![\w+.])\+[1-9]\d{0,2}(?:[ .-]?\(?\d{1,4}\)?){2,5}(?![\w]|[.-]\d)/g

export const phones: Detector = function* (text) {
  if (!text.includes('+')) return
  yield* matches('phone', text, PHONE, (value) => {
    const digits = value.replace(/\D/g, '').length
    return digits >= 8 && digits <= 15
  })
}
