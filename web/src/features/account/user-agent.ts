/** A browser's long name for itself, in the words that people use. */

type Rule = [RegExp, string]

// The order matters: each of the later ones is named in the text of those before it.
const BROWSERS: Rule[] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\bOPR\/|\bOpera\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/\bChrome\/|\bCriOS\/|\bChromium\/|\bHeadlessChrome\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]
const SYSTEMS: Rule[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMacintosh\b|\bMac OS X\b/, 'macOS'],
  [/\bLinux\b|\bX11\b/, 'Linux'],
]

const named = (rules: Rule[], text: string): string | undefined => rules.find(([pattern]) => pattern.test(text))?.[1]

/** For example "Firefox on Windows". */
export function deviceOf(userAgent: string): string {
  const browser = named(BROWSERS, userAgent)
  const system = named(SYSTEMS, userAgent)
  if (browser && system) return `${browser} on ${system}`
  if (browser ?? system) return browser ?? `A browser on ${system}`
  const program = /^([\w.-]{2,40})(\/|$)/.exec(userAgent.trim())?.[1]
  return program && program !== 'Mozilla' ? `A program (${program})` : 'An unknown device'
}

export const isPhone = (userAgent: string): boolean => /\bMobile\b|\biPhone\b|\biPad\b|\bAndroid\b/.test(userAgent)
