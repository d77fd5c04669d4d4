import { CloudOff } from 'lucide-react'
import { useSyncExternalStore } from 'react'

import { PART_NAMES, unavailable, useStore } from '@/api'

const subscribe = (listener: () => void): (() => void) => {
  addEventListener('online', listener)
  addEventListener('offline', listener)
  return () => {
    removeEventListener('online', listener)
    removeEventListener('offline', listener)
  }
}

/** Says which part does not answer; the rest of the page goes on working. */
export function HealthBanner() {
  const parts = useStore(unavailable)
  const online = useSyncExternalStore(subscribe, () => navigator.onLine)
  if (online && parts.size === 0) return null
  const names = [...parts].map((part) => PART_NAMES[part])
  const list = names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : names[0]
  const plural = names.length > 1 || names[0]?.endsWith('s') || names[0]?.includes(' and ')
  return (
    <div
      role="status"
      className="flex items-center justify-center gap-2.5 bg-warn-soft px-4 py-2 text-center text-warn"
    >
      <CloudOff className="size-4 shrink-0" aria-hidden />
      {online ? (
        <span>
          <strong className="font-semibold">{list}</strong> {plural ? 'are' : 'is'} unavailable right now. Everything
          else works; we keep trying.
        </span>
      ) : (
        <span>You are offline. What you type is kept and saved when you are back.</span>
      )}
    </div>
  )
}
