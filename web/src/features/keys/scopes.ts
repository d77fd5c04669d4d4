/** What an API key may be for, in words. */

import type { Scope } from '@/api'

// A record, so that a scope the API adds is missed by the compiler and not by a person.
const MEANING: Record<Scope, string> = {
  'org:read': 'See the organisation and its members',
  'billing:read': 'See the plan and what is used',
  'proposals:read': 'Read proposals',
  'proposals:write': 'Write proposals',
  'ai:use': 'Plan, draft and revise with AI',
  'exports:read': 'Download exports',
  'exports:write': 'Make exports',
  'uploads:read': 'Read uploads',
  'uploads:write': 'Upload and delete files',
}

export const SCOPES = Object.entries(MEANING) as [Scope, string][]

export type Lifetime = '30' | '90' | '365' | 'never'
export const LIFETIMES: [Lifetime, string][] = [
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', 'One year'],
  ['never', 'Until it is revoked'],
]

const DAY_MS = 86_400_000

/** When a key of this lifetime ends; null where it does not. */
export function expiry(lifetime: string, now = Date.now()): string | null {
  return lifetime === 'never' ? null : new Date(now + Number(lifetime) * DAY_MS).toISOString()
}

export const isOver = (expiresAt: string | null | undefined, now = Date.now()): boolean =>
  Boolean(expiresAt) && Date.parse(expiresAt as string) <= now
