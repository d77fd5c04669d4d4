import { useQuery } from '@tanstack/react-query'
import { Link, useLocation } from '@tanstack/react-router'
import { TriangleAlert, X } from 'lucide-react'
import { useState } from 'react'

import { usageQuery } from '@/api'
import { news, type News } from '@/features/billing/limits'
import { cx } from '@/ui/cx'

import { canManage, useOrg } from './org'

const KEY = 'bidwright.put-away'

/** Says what needs doing about the plan: a payment that is owed, an allowance that is nearly used up. */
export function PlanBanner() {
  const usage = useQuery(usageQuery())
  const { pathname } = useLocation()
  const [away, setAway] = useState(putAway)
  // The billing page says all of it itself.
  const all = usage.data && pathname !== '/billing' ? news(usage.data) : []
  const first = all.find(({ id, stays }) => stays || !away.includes(id))
  return (
    // There from the start, so that a screen reader hears what comes into it.
    <div aria-live="polite">
      {first && (
        <Banner
          piece={first}
          onPutAway={() => {
            const next = [...away, first.id].slice(-50)
            setAway(next)
            keep(next)
          }}
        />
      )}
    </div>
  )
}

function Banner({ piece, onPutAway }: { piece: News; onPutAway: () => void }) {
  const mayManage = canManage(useOrg())
  return (
    <aside
      aria-label="About your plan"
      className={cx(
        'flex items-center gap-3 px-4 py-2 sm:px-6',
        piece.tone === 'danger' ? 'bg-danger-soft text-danger' : 'bg-warn-soft text-warn',
      )}
    >
      <TriangleAlert className="size-4 shrink-0" aria-hidden />
      <p className="min-w-0 flex-1">
        <strong className="font-semibold">{piece.title}.</strong> {piece.text}{' '}
        {mayManage ? (
          <Link to="/billing" className="font-semibold whitespace-nowrap underline underline-offset-2">
            {piece.action}
          </Link>
        ) : (
          'Ask an admin of the organisation.'
        )}
      </p>
      {!piece.stays && (
        <button
          type="button"
          aria-label="Put this notice away"
          onClick={onPutAway}
          className="inline-flex size-8 shrink-0 items-center justify-center rounded-lg hover:bg-surface/60"
        >
          <X className="size-4" aria-hidden />
        </button>
      )}
    </aside>
  )
}

function putAway(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(kept) ? kept.filter((id): id is string => typeof id === 'string') : []
  } catch {
    return [] // storage is switched off, or holds something else
  }
}

function keep(ids: string[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(ids))
  } catch {
    // It stays away as long as the page.
  }
}
