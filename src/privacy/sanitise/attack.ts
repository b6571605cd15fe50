/**
 * Names under which data sets, sensors and people speak of attacks, as ATT&CK Enterprise technique ids (version 18.1), so
 * that organisations mean the same family by the same word. Names that cover several techniques get the parent.
 */

export const NAMES: Readonly<Record<string, string>> = {
  'T1498': 'ddos|dos|denial of service|network denial of service|flood|detection of a denial of service attack',
  'T1498.001': 'udp flood|udpstorm|icmp flood|udpflood|icmpflood|pod|ping of death',
  'T1498.002': 'smurf|smurfttl|amplification|reflection|dns amplification|ntp amplification|drdos|snmpgetattack',
  'T1499': 'attempted denial of service|endpoint denial of service',
  'T1499.001': 'neptune|neptunettl|syn flood|synflood|ack flood|hulk syn',
  'T1499.002': 'back|apache2|mailbomb|http flood|slowloris|slowhttptest|dos hulk|dos goldeneye|processtable|tcpreset',
  'T1499.004': 'teardrop|land|dosnuke|crashiis|arppoison crash|syslogd|selfping',
  'T1046':
    'port scan|portscan|portsweep|satan|mscan|saint|nmap|network scan|service scan|ntinfoscan|queso|detection of a network scan|portscan-unsuccessful|horizontal port scan|vertical port scan',
  'T1018': 'ipsweep|host discovery|ping sweep|resetscan',
  'T1595': 'reconnaissance|attempted information leak|recon',
  'T1595.001': 'address scan|ip block scan|internet scan',
  'T1595.002': 'vulnerability scan|vulnerability scanning|nikto|nessus',
  'T1595.003': 'directory brute force|dirbuster|gobuster|wordlist scan',
  'T1110':
    'brute force|bruteforce|attempted login|unsuccessful user privilege gain|an attempted login using a suspicious username was detected',
  'T1110.001':
    'guess|guest|guess passwd|password guessing|ssh brute force|ftp brute force|ssh-patator|ftp-patator|dict|dictionary|snmpguess|netcat',
  'T1110.003': 'password spraying|password spray',
  'T1110.004': 'credential stuffing',
  'T1190':
    'web attack|web application attack|access to a potentially vulnerable web application|sql injection|sqlattack|web attack sql injection|phf|imap|named|sendmail|remote exploit|exploit public-facing application|phfscan|cgi',
  'T1189': 'drive-by|drive by compromise|exploit kit|exploit kit activity detected|xss|cross site scripting',
  'T1203': 'client exploit|client side exploit|executable code was detected',
  'T1068':
    'eject|ffb|ffbconfig|fdformat|loadmodule|perl|ps|sechole|casesen|xterm|privilege escalation|buffer overflow|attempted administrator privilege gain|attempted user privilege gain|successful administrator privilege gain|successful user privilege gain',
  'T1014': 'rootkit',
  'T1572': 'httptunnel|httptunnel-e|tunnel|protocol tunneling|protocol tunnelling',
  'T1071':
    'c2|c&c|command and control|beacon|beaconing|malware command and control activity detected|botnet|domain observed used for c2 detected',
  'T1071.001': 'http c2|web c2|https beacon',
  'T1071.004': 'dns tunneling|dns tunnelling|dns tunnel|dns c2|iodine|dnscat|dnscat2',
  'T1568.002': 'dga|domain generation',
  'T1041': 'exfiltration|data exfiltration|data theft|exfil',
  'T1048': 'exfiltration over alternative protocol|ftp exfiltration|dns exfiltration|warezclient|secret',
  'T1105': 'ingress tool transfer|download|warezmaster|warez|malware download',
  'T1021': 'lateral movement|remote services',
  'T1021.001': 'rdp lateral movement|rdp',
  'T1021.002': 'smb lateral movement|psexec|admin shares',
  'T1021.004': 'ssh lateral movement|sshprocesstable',
  'T1021.006': 'winrm|windows remote management',
  'T1047': 'wmi|wmic',
  'T1059': 'script execution|command injection|shellcode|code execution',
  'T1059.001': 'powershell',
  'T1003': 'credential dumping|ntfsdos|sam dump',
  'T1003.001': 'mimikatz|lsass|lsass dump',
  'T1003.006': 'dcsync',
  'T1558.001': 'golden ticket',
  'T1558.003': 'kerberoasting|kerberoast',
  'T1550.002': 'pass the hash',
  'T1550.003': 'pass the ticket',
  'T1053.005': 'scheduled task',
  'T1547.001': 'run keys|registry run keys|yaga',
  'T1543.003': 'windows service|service installation',
  'T1569.002': 'service execution',
  'T1055': 'process injection|dll injection',
  'T1486': 'ransomware|encryption for impact',
  'T1485': 'wiper|data destruction',
  'T1496': 'cryptomining|cryptojacking|coin miner|coinminer|crypto currency mining activity detected',
  'T1566': 'phishing|possible social engineering attempted|social engineering',
  'T1566.001': 'malicious attachment|spearphishing attachment|malspam',
  'T1566.002': 'malicious link|spearphishing link',
  'T1078': 'stolen credentials|valid accounts|successful credential theft detected|compromised account',
  'T1557': 'man in the middle|mitm|adversary in the middle',
  'T1557.002': 'arp spoofing|arp poisoning|arppoison',
  'T1040': 'sniffing|illegal sniffer|illegal-sniffer|network sniffing|xsnoop|xlock',
  'T1505.003': 'web shell|webshell',
  'T1195': 'supply chain',
  'T1090.003': 'tor|onion routing|multi-hop proxy',
  'T1070.001': 'event log cleared|log clearing|wevtutil',
  'T1562.001': 'defence evasion|av disabled|antivirus disabled',
  'T1098': 'account manipulation',
  'T1136': 'account creation|new account',
  'T1219': 'remote access tool|remote access trojan|rat|a network trojan was detected|trojan|backdoor',
  'T1056.001': 'keylogger|keylogging|framespoofer',
}

const TECHNIQUES: ReadonlyMap<string, string> = new Map(
  Object.entries(NAMES).flatMap(([technique, names]) => names.split('|').map((name) => [normal(name), technique])),
)

/** Every id that {@link techniqueOf} can give. */
export const TECHNIQUE_IDS: readonly string[] = Object.keys(NAMES)

function normal(name: string): string {
  return name
    .toLowerCase()
    .replace(/[\s_./-]+/g, ' ')
    .trim()
}

/** Technique id of a name, an id itself included; undefined for names that the table does not know. */
export function techniqueOf(name: string): string | undefined {
  const id = /^T\d{4}(?:\.\d{3})?$/i.exec(name.trim())
  if (id !== null) return id[0].toUpperCase()
  // CTU's labels say who, then what.
  return TECHNIQUES.get(normal(name.replace(/^From_[a-z]+-To_[a-z]+-?/i, '')))
}
