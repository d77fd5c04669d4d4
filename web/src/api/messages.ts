/** The words for each refusal: what happened, and what the person can do about it. */

import { ApiError } from './problem'

export interface Explanation {
  title: string
  hint: string
  /** A refusal that a bigger plan removes. */
  upgrade?: boolean
}

const QUOTA: Record<string, Explanation> = {
  ai_requires_pro: {
    title: 'Drafting needs Pro',
    hint: 'Planning is free. Upgrade to let the AI draft and revise sections, or write them yourself.',
    upgrade: true,
  },
  active_cap_reached: {
    title: 'You have used your free proposals',
    hint: 'Upgrade to Pro to start another one. Your existing proposals stay yours to edit and export.',
    upgrade: true,
  },
  monthly_cap_reached: {
    title: 'This month’s proposals are used up',
    hint: 'Add seats or buy a bundle of extra proposals, or wait until the next period begins.',
    upgrade: true,
  },
  seats_exhausted: {
    title: 'Every seat is taken',
    hint: 'Add a seat to your subscription or remove a member, then invite again.',
    upgrade: true,
  },
  storage_exhausted: {
    title: 'Your storage is full',
    hint: 'Delete uploads that you no longer need, or upgrade for more room.',
    upgrade: true,
  },
}

const CODES: Record<string, Explanation> = {
  network: {
    title: 'We cannot reach Bidwright',
    hint: 'Check your connection. What you typed is kept; try again when you are back online.',
  },
  unauthenticated: { title: 'You are signed out', hint: 'Sign in again to carry on where you were.' },
  email_unverified: {
    title: 'Confirm your address first',
    hint: 'Open the link in the mail we sent you. No mail? Sign up again with the same address and we send a new link.',
  },
  fresh_sign_in_required: {
    title: 'Sign in once more',
    hint: 'This change needs a sign-in of the last few minutes. Sign out, sign in again, and repeat it.',
  },
  second_factor_required: {
    title: 'Your passkey is needed as well',
    hint: 'Sign in with your password, then confirm with your passkey.',
  },
  invalid_oauth_state: {
    title: 'That sign-in did not finish',
    hint: 'It took too long, or was begun in another window. Try again.',
  },
  oauth_denied: { title: 'You did not allow the sign-in', hint: 'Try again, or sign in another way.' },
  login_throttled: { title: 'Too many attempts', hint: 'Wait a minute, then try again or reset your password.' },
  org_forbidden: {
    title: 'You are not in that organisation',
    hint: 'Pick another organisation in the menu at the top, or ask for an invite.',
  },
  role_forbidden: {
    title: 'Your role does not allow this',
    hint: 'Ask an admin of the organisation to do it or to change your role.',
  },
  scope_forbidden: { title: 'This key may not do that', hint: 'Use a key with the scope that is named.' },
  origin_forbidden: {
    title: 'The request came from another site',
    hint: 'Open Bidwright at its own address and try again.',
  },
  not_found: {
    title: 'Not found',
    hint: 'It may have been deleted, or it belongs to another organisation: try switching at the top.',
  },
  conflict: {
    title: 'That does not fit right now',
    hint: 'It changed in the meantime. Load the page again and repeat what you did.',
  },
  gone: { title: 'This is no longer there', hint: 'It was used, withdrawn or has expired.' },
  invalid_token: { title: 'This link does not work any more', hint: 'Ask for a new one.' },
  revision_cap_reached: {
    title: 'Enough revisions for one draft',
    hint: 'Approve the section or draft it anew; then you can ask for revisions again.',
  },
  section_locked: { title: 'The section is approved', hint: 'Withdraw the approval to change its text.' },
  generation_running: { title: 'The AI is already on this section', hint: 'Wait until it has finished, or cancel it.' },
  not_yet_consistent: {
    title: 'Not quite ready yet',
    hint: 'Something you just did is still on its way. Try again in a moment.',
  },
  already_member: { title: 'Already a member', hint: 'This person is in the organisation already.' },
  stale_revision: { title: 'The text changed elsewhere', hint: 'Compare both versions and choose which one to keep.' },
  precondition_required: { title: 'We lost track of the version', hint: 'Load the page again and repeat the change.' },
  file_too_large: { title: 'The file is too large', hint: 'Upload a smaller file, or split it.' },
  body_too_large: { title: 'That is too much at once', hint: 'Shorten the text, or upload it as a file.' },
  rate_limited: { title: 'A little too fast', hint: 'Wait a moment, then try again.' },
  daily_cap_reached: {
    title: 'Today’s AI requests are used up',
    hint: 'They are back tomorrow; a bigger plan has more.',
  },
  monthly_tokens_reached: {
    title: 'This month’s AI text is used up',
    hint: 'It is back next month; a bigger plan has more.',
  },
  unavailable: {
    title: 'This part is unavailable right now',
    hint: 'Nothing is lost and the rest works. We keep trying.',
  },
  billing_unavailable: {
    title: 'The payment service does not answer',
    hint: 'You have not been charged. Try again in a minute.',
  },
  provider_unavailable: { title: 'The AI does not answer', hint: 'Your text is safe. Try again in a minute.' },
  extension_not_allowed: {
    title: 'This type of file is not accepted',
    hint: 'Upload a PDF, DOCX, text or image file.',
  },
  mismatched_signature: {
    title: 'The content does not match the name',
    hint: 'The file is not what its ending says. Export it again from the program that made it.',
  },
  mismatched_content_type: {
    title: 'The file’s type does not match',
    hint: 'Save it again with the right ending and upload that.',
  },
  malformed_file: { title: 'The file is damaged', hint: 'Open it, save a fresh copy, and upload that.' },
  active_content: {
    title: 'The file holds active content',
    hint: 'Scripts, macros and embedded files are not accepted. Print it to PDF and upload that.',
  },
  encrypted_file: {
    title: 'The file is password-protected',
    hint: 'Remove the password and upload it again; we cannot check it otherwise.',
  },
  empty_file: { title: 'The file is empty', hint: 'Choose another file.' },
  infected: {
    title: 'The virus scan found something',
    hint: 'The file was not kept. Scan your machine before you try another copy.',
  },
  scan_error: { title: 'The virus scan did not finish', hint: 'The file was not kept. Try again in a minute.' },
}

/** Where our hint says more than the server can know: it has the next step in this app. */
const OURS = new Set([
  'network',
  'unauthenticated',
  'not_found',
  'origin_forbidden',
  'email_unverified',
  'stale_revision',
  'precondition_required',
])

/** How an error is told to a person: our words for what happened, the server's for what to do, where it has some. */
export function explain(error: unknown): Explanation {
  if (!(error instanceof ApiError)) {
    return { title: 'Something went wrong', hint: 'Load the page again. If it happens again, tell us what you did.' }
  }
  const detail = error.body.detail
  if (error.code === 'quota_exceeded') {
    return QUOTA[error.reason ?? ''] ?? { title: 'Your plan does not include this', hint: error.message, upgrade: true }
  }
  if (error.code === 'validation_failed') {
    const first = error.fields[0]
    const hint = !first
      ? error.message
      : first.field === 'body'
        ? first.message
        : `${label(first.field)}: ${first.message}`
    return { title: 'Please check what you entered', hint }
  }
  const known = CODES[error.code]
  if (!known) {
    const id = error.requestId ? ` (request ${error.requestId})` : ''
    return { title: 'That did not work', hint: `${detail ?? 'Try again in a moment.'}${id}` }
  }
  if (error.retryAfter && error.status === 429) {
    return { ...known, hint: `Try again in ${duration(error.retryAfter)}.` }
  }
  return detail && !OURS.has(error.code) ? { ...known, hint: detail } : known
}

function label(field: string): string {
  const last = field.split('.').pop() ?? field
  return last.charAt(0).toUpperCase() + last.slice(1).replaceAll('_', ' ')
}

function duration(seconds: number): string {
  if (seconds < 90) return `${seconds} second${seconds === 1 ? '' : 's'}`
  if (seconds < 5400) return `${Math.round(seconds / 60)} minutes`
  return `${Math.round(seconds / 3600)} hours`
}
