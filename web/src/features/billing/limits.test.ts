import { describe, expect, it } from 'vitest'

import type { Usage } from '@/api'

import { levels, news } from './limits'

function usage(changes: { [K in keyof Usage]?: Partial<Usage[K]> | Usage[K] } = {}): Usage {
  const start: Usage = {
    scope: { org_id: 'o', name: 'Northwind', personal: false },
    tier: 'pro',
    status: 'active',
    grace_ends_at: null,
    limits: {
      active_cap: null,
      monthly_cap: 20,
      extras: 0,
      seats: 2,
      ai_per_minute: 20,
      ai_daily: null,
      ai_monthly_tokens: null,
      storage_bytes: 1000,
      upload_max_bytes: 10,
    },
    usage: {
      active: 0,
      created_this_period: 0,
      seats: 1,
      ai_requests_today: 0,
      ai_tokens_this_month: 0,
      storage_bytes: 0,
    },
    period: { start: '2026-11-01T00:00:00Z', end: '2026-12-01T00:00:00Z' },
    can_create_proposal: true,
    reason: null,
    subscription: null,
  }
  const merged = Object.entries(changes).map(([key, value]) => {
    const before = start[key as keyof Usage]
    return [key, before && typeof before === 'object' ? { ...before, ...(value as object) } : value]
  })
  return { ...start, ...(Object.fromEntries(merged) as Partial<Usage>) }
}

describe('levels', () => {
  it.each([
    [13, undefined],
    [14, 70],
    [17, 70],
    [18, 90],
    [20, 100],
    [25, 100],
  ])('%d of 20 proposals is %s per cent', (created_this_period, threshold) => {
    expect(levels(usage({ usage: { created_this_period } }))[0]?.threshold).toBe(threshold)
  })

  it('puts the fullest first', () => {
    const found = levels(usage({ usage: { created_this_period: 14, storage_bytes: 950, seats: 2 } }))
    expect(found.map(({ cap }) => cap)).toEqual(['seats', 'storage_bytes', 'monthly_cap'])
  })

  it('says nothing of the one seat of a person alone, nor of what has no cap', () => {
    const found = levels(
      usage({ limits: { seats: 1, monthly_cap: null }, usage: { seats: 1, created_this_period: 99 } }),
    )
    expect(found).toEqual([])
  })

  it('counts the proposals that free ever made, though some were deleted', () => {
    const free = usage({
      tier: 'free',
      limits: { active_cap: 1, monthly_cap: null },
      can_create_proposal: false,
      reason: 'active_cap_reached',
    })
    expect(levels(free)).toMatchObject([{ cap: 'active_cap', used: 1, threshold: 100 }])
  })
})

describe('news', () => {
  it('tells of a failed payment first, with the day that the grace ends, and keeps telling', () => {
    const late = usage({
      status: 'past_due',
      grace_ends_at: '2026-11-08T09:00:00Z',
      usage: { created_this_period: 20 },
    })
    const [payment, cap] = news(late)
    expect(payment).toMatchObject({ tone: 'warn', title: 'The last payment failed', stays: true })
    expect(payment?.text).toContain('8 Nov 2026')
    expect(cap?.title).toBe('You have used all of your proposals of this period')
  })

  it('after the grace says that the plan is on hold', () => {
    const [payment] = news(usage({ tier: 'free', status: 'past_due', grace_ends_at: '2026-11-08T09:00:00Z' }))
    expect(payment).toMatchObject({ tone: 'danger', title: 'Your plan is on hold: a payment failed' })
  })

  it('says that extras go on after a full cap', () => {
    const [cap] = news(usage({ limits: { extras: 3 }, usage: { created_this_period: 20 } }))
    expect(cap?.text).toBe('New ones are taken from the 3 extra proposals that you have left.')
  })

  it('is another piece of news in another period', () => {
    const before = news(usage({ usage: { created_this_period: 20 } }))
    const after = news(usage({ usage: { created_this_period: 20 }, period: { start: '2026-12-01T00:00:00Z' } }))
    expect(before[0]?.id).not.toBe(after[0]?.id)
  })

  it('has nothing to say of a plan that is paid and has room', () => {
    expect(news(usage())).toEqual([])
  })
})
