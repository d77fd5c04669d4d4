/** What the answer library says of an answer, and how its form is read. */

import type { Answer, Member } from '@/api'
import { date, plural } from '@/ui/format'

export const MAX_TAGS = 10

/** Tags as they are typed, with commas between; each once, however it is capitalised. */
export function tagsOf(typed: string): string[] {
  const found = new Map<string, string>()
  for (const tag of typed.split(',').map((part) => part.trim())) {
    const key = tag.toLocaleLowerCase()
    if (tag && !found.has(key)) found.set(key, tag)
  }
  return [...found.values()]
}

/** A day a year from now, as a date field has it: when an answer is looked at again unless someone says otherwise. */
export function inAYear(now = new Date()): string {
  const day = new Date(Date.UTC(now.getUTCFullYear() + 1, now.getUTCMonth(), now.getUTCDate()))
  return day.toISOString().slice(0, 10)
}

export function usesInWords(answer: Pick<Answer, 'uses'>): string {
  return answer.uses === 0 ? 'Not used yet' : `Used ${answer.uses === 1 ? 'once' : plural(answer.uses, 'time')}`
}

/** Who keeps it true. Someone who has left is not in the list of members any more. */
export function ownerName(ownerId: string | null, people: Pick<Member, 'user_id' | 'name'>[]): string {
  if (ownerId === null) return 'Nobody'
  return people.find((person) => person.user_id === ownerId)?.name ?? 'Someone who left'
}

export function sourceInWords(source: Answer['source']): string {
  if (!source) return ''
  const names = [source.proposal_title, source.section_title].filter(Boolean)
  return names.length > 0 ? `From ${names.join(', ')}` : ''
}

export function reviewInWords(answer: Pick<Answer, 'review_on'>): string {
  return answer.review_on ? `Review on ${date(answer.review_on)}` : ''
}

/** The start of an answer in one line, without the marks of Markdown. */
export function opening(markdown: string, length = 220): string {
  const flat = markdown
    .replace(/^[#>\-*+\s]+/gm, '')
    .replace(/[*_`~]+/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\s+/g, ' ')
    .trim()
  return flat.length <= length ? flat : `${flat.slice(0, length).replace(/\s+\S*$/, '')} …`
}
