/** What opens doors: passwords and tokens by the words and forms that give them away, and keys in PEM. */

import { type Detector, type Finding, matches } from './detector.ts'

/** Tokens that begin in a way of their own, as their issuers document for scanners. */
const TOKENS: readonly RegExp[] = [
  /\b(?:AKIA|ASIA|AROA|AIDA)[A-Z2-7]{16}\b/g, // AWS
  /\bgh[pousr]_[A-Za-z0-9]{36,255}\b|\bgithub_pat_[A-Za-z0-9_]{60,255}\b/g,
  /\bglpat-[A-Za-z0-9_-]{20,64}/g,
  /\bxox[abeoprs]-[A-Za-z0-9-]{10,250}\b/g, // Slack
  /\bAIza[A-Za-z0-9_-]{35}(?![\w-])/g, // Google
  /\bya29\.[A-Za-z0-9_-]{20,2000}/g,
  /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,247}\b/g, // Stripe
  /\bSG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}(?![\w-])/g, // SendGrid
  /\bnpm_[A-Za-z0-9]{36}\b/g,
  /\bpypi-[A-Za-z0-9_-]{50,1000}/g,
  /\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,255}(?![\w-])/g,
  /\bhv[sb]\.[A-Za-z0-9_-]{24,300}/g, // Vault
  /\bdop_v1_[a-f0-9]{64}\b/g,
  // RFC 7519: header and claims are JSON objects, so that both begin with {" in base64url.
  /\beyJ[A-Za-z0-9_-]{8,8000}\.eyJ[A-Za-z0-9_-]{4,8000}\.[A-Za-z0-9_-]{0,2000}/g,
]

/** What comes after a word that announces a secret. Quotes are left standing, so that the text around keeps its form. */
const AFTER = String.raw`["']?\s{0,2}(?:[:=]|=>)\s{0,2}["']?(?<value>[^\s"'&,;<>()[\]{}|]{4,512})`
const ASSIGNED_PASSWORD = new RegExp(
  String.raw`(?<![A-Za-z])(?:password|passwd|passwort|passphrase|pwd|passwd_hash|ntlm_?hash)${AFTER}`,
  'gi',
)
const ASSIGNED_TOKEN = new RegExp(
  String.raw`(?<![A-Za-z])(?:api[_-]?key|apikey|x-api-key|access[_-]?token|auth[_-]?token|refresh[_-]?token|id[_-]?token|client[_-]?secret|secret[_-]?key|secret[_-]?access[_-]?key|session[_-]?(?:id|token)|phpsessid|jsessionid|aws_secret_access_key|secret|token)${AFTER}`,
  'gi',
)
/** Options of commands, with a blank before their value: `--password P@ss`, `-storepass P@ss`, `--api-key K`. */
const OPTION = String.raw`\s{1,4}["']?(?<value>(?!-)[^\s"'&,;<>()[\]{}|]{4,512})`
const PASSWORD_OPTION = new RegExp(
  String.raw`(?<![\w-])--?(?:[a-z]{1,12}[-_]?)?(?:password|passwd|passphrase|pass|pwd)${OPTION}`,
  'gi',
)
const TOKEN_OPTION = new RegExp(
  String.raw`(?<![\w-])--?(?:[a-z]{1,12}[-_]?)?(?:api-?key|token|secret|secret-key|access-key)${OPTION}`,
  'gi',
)
const AUTHORISATION = /\b(?:Bearer|Basic|Token|Digest|NTLM|Negotiate)\s{1,2}(?<value>[A-Za-z0-9+/_.~-]{12,8000}={0,2})/g
const URL_PASSWORD = /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@]{1,128}:(?<value>[^\s/]{1,256})@/gi
/** `net user alice P@ss /add`, `mysql -pP@ss`, `sshpass -p P@ss`, `/p:P@ss`, `curl -u alice:P@ss`. */
const COMMAND_LINE = [
  /\bnet1?(?:\.exe)?\s+user\s+\S{1,64}\s+(?<value>[^\s/]\S{3,127})(?=\s+\/add\b)/gi,
  /\b(?:mysql|mysqldump|mariadb)\b[^|;\n]{0,200}?\s-p(?<value>[^\s'"]{4,127})/gi,
  /\b(?:sshpass|psexec(?:64)?(?:\.exe)?|plink(?:\.exe)?|wmic)\b[^|;\n]{0,200}?\s[-/](?:p|pw)[\s:]["']?(?<value>[^\s'"]{4,127})/gi,
  /\b(?:curl|wget|smbclient)\b[^|;\n]{0,200}?\s(?:-u|-U|--user)[\s=]["']?[^\s:%'"]{1,64}[:%](?<value>[^\s'"]{1,127})/g,
  /\b(?:xfreerdp|rdesktop|runas)\b[^|;\n]{0,200}?\s\/p(?:assword)?:(?<value>[^\s'"]{4,127})/gi,
]
/** Documentation, masks and templates: what stands there opens nothing. */
const HARMLESS =
  /^(?:\*+|x{4,}|\.{3,}|<.*>?|\$\{.*|\$[A-Z_]+|\$\(.*|%\w+%|null|none|nil|true|false|undefined|empty|redacted|\[?redacted\]?|changeme\?|required|expired|invalid|missing|incorrect|wrong|\/.*|[A-Z]:\\.*|yes|no|not|set|unset|n\/a|authentication|reset|policy|change|changed|option|options|flag|argument|parameter|prompt|stdin|from|with|must|should|cannot|will|when|file)$/i

const opens = (value: string): boolean => !HARMLESS.test(value)

export const passwords: Detector = function* (text) {
  yield* matches('password', text, ASSIGNED_PASSWORD, opens)
  yield* matches('password', text, PASSWORD_OPTION, opens)
  if (text.includes('://')) yield* matches('password', text, URL_PASSWORD, opens)
  for (const pattern of COMMAND_LINE) yield* matches('password', text, pattern, opens)
}

export const tokens: Detector = function* (text) {
  for (const pattern of TOKENS) yield* matches('token', text, pattern)
  yield* matches('token', text, ASSIGNED_TOKEN, (value) => value.length >= 8 && opens(value))
  yield* matches('token', text, TOKEN_OPTION, (value) => value.length >= 8 && opens(value))
  yield* matches('token', text, AUTHORISATION, (value) => /[\d+/_~=-]/.test(value) || value.length >= 24)
}

/** RFC 7468, also with the line ends escaped as JSON and syslog write them, also cut off: from BEGIN to END or to the end. */
export const privateKeys: Detector = function* (text): Generator<Finding> {
  let at = text.indexOf('-----BEGIN ')
  while (at >= 0) {
    const kind = /^-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/.exec(text.slice(at, at + 80))
    const end = kind === null ? -1 : endOfKey(text, at + kind[0].length)
    if (end >= 0) yield { detector: 'private-key', begin: at, end }
    at = text.indexOf('-----BEGIN ', end >= 0 ? end : at + 1)
  }
}

function endOfKey(text: string, from: number): number {
  const footer = /-----END [A-Z0-9 ]{1,60}-----/g
  footer.lastIndex = from
  const match = footer.exec(text)
  return match === null ? text.length : match.index + match[0].length
}
