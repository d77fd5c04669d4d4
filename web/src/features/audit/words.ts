/** What happened, in words, and what the filter offers. */

const ACTIONS: Record<string, string> = {
  'org.created': 'Made the organisation',
  'org.renamed': 'Renamed the organisation',
  'org.transferred': 'Handed the organisation over',
  'org.deleted': 'Deleted the organisation',
  'invite.created': 'Sent an invite',
  'invite.accepted': 'Accepted an invite',
  'invite.revoked': 'Withdrew an invite',
  'member.role_changed': 'Changed a role',
  'member.removed': 'Removed a member',
  'member.left': 'Left the organisation',
  'key.created': 'Made an API key',
  'key.revoked': 'Revoked an API key',
  'billing.subscription_changed': 'The subscription changed',
  'billing.credits_granted': 'Extra proposals were bought',
  'billing.payment_failed': 'A payment failed',
  'export.finished': 'Exported a file',
  'export.failed': 'An export failed',
  'export.deleted': 'Deleted an export',
  'session.created': 'Signed in',
  'session.ended': 'Signed out',
  'password.changed': 'Changed the password',
  'password.reset': 'Reset the password',
  'passkey.added': 'Added a passkey',
  'passkey.renamed': 'Renamed a passkey',
  'passkey.removed': 'Removed a passkey',
  'passkey.suspect': 'A passkey looks copied',
  'second_factor.on': 'Asks for a passkey after the password',
  'second_factor.off': 'Password alone is enough',
  'identity.linked': 'Connected an account',
  'identity.unlinked': 'Disconnected an account',
  'user.registered': 'Registered',
  'user.renamed': 'Changed their name',
  'user.erased': 'Deleted their account',
}

export const ACTION_CHOICES = Object.entries(ACTIONS)

/** An action that has no words yet still reads as some. */
export function actionWords(action: string): string {
  const known = ACTIONS[action]
  if (known) return known
  const words = action.replaceAll(/[._]/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** The details of a row as pairs to read. */
export function details(detail: Record<string, unknown>): [string, string][] {
  return Object.entries(detail)
    .filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([name, value]) => [actionWords(name), shown(value)])
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(shown).join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** A day of the person's own calendar as the moments where it begins and ends. */
export const dayStart = (day: string): string | undefined => moment(day, 0)
export const dayEnd = (day: string): string | undefined => moment(day, 1)

function moment(day: string, add: number): string | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day)
  if (!parts) return undefined
  return new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + add).toISOString()
}

const moments = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})
export const exactly = (iso: string): string => moments.format(new Date(iso))
