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
  pattern(String.raw`\bsession \d{1,9} (?:of|for) user ${NAME}`, 'giu'),
  pattern(
    String.raw`\b(?:logname|ruser|user|username|usr|suser|duser|login|account|acct|rhost_user|AUTH_USER|TargetUserName|SubjectUserName|AccountName|user_name|userid)\s{0,1}[=:]\s{0,1}["'\\]{0,2}${NAME}`,
    'giu',
  ),
  pattern(String.raw`\bsudo(?:\[\d{1,9}\])?:\s{1,8}${NAME} : `),
  pattern(String.raw`\b(?:for|by|to) user ["']${NAME}["']`),
  pattern(String.raw`\buser ["']${NAME}["']`, 'giu'),
  pattern(String.raw`\bnet1?(?:\.exe)?\s+user\s+${NAME}`, 'giu'),
  pattern(String.raw`(?:^|[\s"'=;])/(?:home|Users)/(?<value>[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,63})(?=[/\s"':;,]|$)`),
  pattern(
    String.raw`\b[A-Za-z]:\\{1,2}(?:Users|Documents and Settings)\\{1,2}(?<value>[\p{L}\p{N}_][\p{L}\p{N}_. -]{0,63}?)(?=\\|["':;,]|$)`,
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
