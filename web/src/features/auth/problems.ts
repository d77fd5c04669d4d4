/** What `?problem=` on the sign-in page says: why a sign-in with a provider came back without one. */

export interface Problem {
  title: string
  hint: string
}

const PROBLEMS: Record<string, Problem> = {
  invalid_oauth_state: {
    title: 'That sign-in did not finish',
    hint: 'It took too long, was used before, or was begun in another browser. Please start again.',
  },
  email_unverified: {
    title: 'Your address is not confirmed there',
    hint: 'Confirm your e-mail address with that provider first, or sign in with a password.',
  },
  oauth_denied: {
    title: 'You did not allow the sign-in',
    hint: 'Nothing was shared. Start again, or sign in another way.',
  },
  provider_unavailable: {
    title: 'The other side does not answer',
    hint: 'The sign-in provider could not be reached. Try again in a minute, or sign in another way.',
  },
  rate_limited: { title: 'A little too fast', hint: 'Wait a moment, then try again.' },
  not_found: { title: 'That way to sign in is not offered', hint: 'Choose one of those below.' },
}

/** The words for a code; an unknown one gets a sentence too, never the code itself. */
export function problemOf(code: string | undefined): Problem | null {
  if (!code) return null
  return PROBLEMS[code] ?? { title: 'That sign-in did not work', hint: 'Try again, or sign in another way.' }
}

const NAMES: Record<string, string> = { google: 'Google', github: 'GitHub', facebook: 'Facebook' }

export const providerName = (provider: string): string =>
  NAMES[provider] ?? provider.charAt(0).toUpperCase() + provider.slice(1)
