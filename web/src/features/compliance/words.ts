/** What the states and kinds of the matrix are called. */

import type { CheckFinding, Requirement, RequirementState } from '@/api'
import { number } from '@/ui/format'
import type { Tone } from '@/ui/feedback'

/** In the order in which they ask for attention. */
export const STATES: Record<RequirementState, { name: string; tone: Tone }> = {
  over_limit: { name: 'Over the limit', tone: 'danger' },
  uncovered: { name: 'No section', tone: 'danger' },
  open: { name: 'Open', tone: 'neutral' },
  drafted: { name: 'Drafted', tone: 'warn' },
  approved: { name: 'Approved', tone: 'ok' },
}

export const KINDS: Record<Requirement['kind'], string> = {
  eligibility: 'Eligibility',
  content: 'Content',
  format: 'Format',
  attachment: 'Attachment',
  deadline: 'Deadline',
}

export const SEVERITIES: Record<CheckFinding['severity'], { name: string; one: string; many: string; tone: Tone }> = {
  error: { name: 'To fix', one: 'thing to fix', many: 'things to fix', tone: 'danger' },
  warning: { name: 'To look at', one: 'thing to look at', many: 'things to look at', tone: 'warn' },
  info: { name: 'To know', one: 'thing to know', many: 'things to know', tone: 'neutral' },
}

export const isState = (value: string | undefined): value is RequirementState =>
  value !== undefined && Object.hasOwn(STATES, value)

/** `at most 250 words`, or nothing. */
export function limitWords(limit: Requirement['limit']): string {
  if (!limit) return ''
  return `at most ${number(limit.value)} ${limit.value === 1 ? limit.unit.replace(/s$/, '') : limit.unit}`
}
