/** What one had before going to the payment page, so that on return the change can be told from what was there. */

import type { Price, Usage } from '@/api'

const KEY = 'bidwright.checkout'

interface Before {
  price: Price
  tier: Usage['tier']
  extras: number
}

export function rememberCheckout(price: Price, usage: Usage): void {
  const before: Before = { price, tier: usage.tier, extras: usage.limits.extras }
  try {
    sessionStorage.setItem(KEY, JSON.stringify(before))
  } catch {
    // Without storage the new tier alone tells that the payment has arrived.
  }
}

export function forgetCheckout(): void {
  try {
    sessionStorage.removeItem(KEY)
  } catch {
    // Nothing was remembered either.
  }
}

/** Whether what was bought has arrived. */
export function hasArrived(now: Usage): boolean {
  let before: Before | null = null
  try {
    before = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Before | null
  } catch {
    // Unreadable: as if nothing were remembered.
  }
  if (!before) return now.tier !== 'free' || now.limits.extras > 0
  return now.tier !== before.tier || now.limits.extras > before.extras
}

export function thanks(now: Usage): { title: string; description: string } {
  if (now.tier === 'free') {
    return { title: 'Your extra proposals are here', description: 'They last until you use them.' }
  }
  return {
    title: `You are on ${now.tier === 'pro' ? 'Pro' : 'Enterprise'}`,
    description: 'Drafting, revising and the new limits are open.',
  }
}
