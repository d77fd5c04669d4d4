/** What of an organisation's plan needs telling, and what can be done about it. */

import type { CapName, Usage } from '@/api'
import { bytes, date, number, plural } from '@/ui/format'

const THRESHOLDS = [100, 90, 70] as const

export interface Level {
  cap: CapName
  used: number
  limit: number
  threshold: (typeof THRESHOLDS)[number]
}

export interface News {
  /** Tells this piece of news from others, so that one that was put away stays away. */
  id: string
  tone: 'warn' | 'danger'
  title: string
  text: string
  /** For those who may spend money; the others are told whom to ask. */
  action: string
  /** Until it is paid it cannot be put away. */
  stays?: boolean
}

/** The caps that are 70 per cent used or more, the fullest first. */
export function levels({ limits, usage, reason }: Usage): Level[] {
  const counted: [CapName, number, number | null][] = [
    // Free counts the proposals that were ever made; those that are there may be fewer.
    ['active_cap', reason === 'active_cap_reached' ? (limits.active_cap ?? 0) : usage.active, limits.active_cap],
    ['monthly_cap', usage.created_this_period, limits.monthly_cap],
    ['seats', usage.seats, limits.seats],
    ['ai_daily', usage.ai_requests_today, limits.ai_daily],
    ['ai_monthly_tokens', usage.ai_tokens_this_month, limits.ai_monthly_tokens],
    ['storage_bytes', usage.storage_bytes, limits.storage_bytes],
  ]
  return counted
    .flatMap(([cap, used, limit]) => {
      // One seat is a person alone: full from the first day, and no news.
      if (limit === null || limit <= (cap === 'seats' ? 1 : 0)) return []
      const threshold = THRESHOLDS.find((it) => used * 100 >= it * limit)
      return threshold ? [{ cap, used, limit, threshold }] : []
    })
    .toSorted((a, b) => b.threshold - a.threshold)
}

const WHAT: Record<CapName, string> = {
  active_cap: 'proposals',
  monthly_cap: 'proposals of this period',
  seats: 'seats',
  ai_daily: 'AI requests of today',
  ai_monthly_tokens: 'AI tokens of this month',
  storage_bytes: 'storage',
}

function whatToDo({ cap }: Level, { tier }: Usage): { text: string; action: string } {
  switch (cap) {
    case 'active_cap':
      return { text: 'Upgrade to Pro to start more.', action: 'See the plans' }
    case 'monthly_cap':
      return { text: 'Add seats for more every month, or buy extra proposals.', action: 'Add seats or extras' }
    case 'seats':
      return { text: 'Add seats to invite more people.', action: 'Add seats' }
    case 'storage_bytes':
      return {
        text: `Delete files that are not needed any more${tier === 'enterprise' ? '' : ', or choose a bigger plan'}.`,
        action: 'See usage',
      }
    case 'ai_daily':
      return { text: 'They are back tomorrow; a bigger plan has more.', action: 'See usage' }
    case 'ai_monthly_tokens':
      return { text: 'They are back next month; a bigger plan has more.', action: 'See usage' }
  }
}

function ofLevel(level: Level, usage: Usage): News {
  const { cap, used, limit, threshold } = level
  const full = threshold === 100
  const { text, action } = whatToDo(level, usage)
  const counted = cap === 'storage_bytes' ? `${bytes(used)} of ${bytes(limit)}` : `${number(used)} of ${number(limit)}`
  const extras = full && cap.endsWith('_cap') && usage.limits.extras > 0
  return {
    id: `${usage.scope.org_id}:${cap}:${threshold}:${usage.period.start}`,
    tone: 'warn',
    title: full ? `You have used all of your ${WHAT[cap]}` : `You have used ${threshold}% of your ${WHAT[cap]}`,
    text: extras
      ? `New ones are taken from the ${plural(usage.limits.extras, 'extra proposal')} that you have left.`
      : `${counted} ${cap === 'seats' ? 'are taken' : cap === 'storage_bytes' ? 'is used' : 'are used'}. ${text}`,
    action,
  }
}

/** That a payment is owed, or null. */
function ofPayment({ scope, status, tier, grace_ends_at }: Usage): News | null {
  if (status !== 'past_due' && status !== 'unpaid') return null
  const inGrace = tier !== 'free' && grace_ends_at
  return {
    id: `${scope.org_id}:${status}`,
    tone: inGrace ? 'warn' : 'danger',
    title: inGrace ? 'The last payment failed' : 'Your plan is on hold: a payment failed',
    text: inGrace
      ? `Everything stays open until ${date(grace_ends_at)}. Update the payment method before then to keep the plan.`
      : 'Reading and exporting stay open. Update the payment method to get the plan back.',
    action: 'Update the payment method',
    stays: true,
  }
}

/** Everything that needs telling, the most urgent first. */
export function news(usage: Usage): News[] {
  const payment = ofPayment(usage)
  return [...(payment ? [payment] : []), ...levels(usage).map((level) => ofLevel(level, usage))]
}
