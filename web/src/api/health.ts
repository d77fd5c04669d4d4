/** Which parts of the product answer. One service may be down while the rest works; the shell says which. */

import { Store } from './store'

export type Part = 'account' | 'billing' | 'proposals' | 'exports' | 'uploads'

export const PART_NAMES: Record<Part, string> = {
  account: 'Sign-in and members',
  billing: 'Usage and billing',
  proposals: 'Proposals and drafting',
  exports: 'Exports',
  uploads: 'Uploads',
}

const PREFIXES: [string, Part][] = [
  ['/api/usage', 'billing'],
  ['/api/billing', 'billing'],
  ['/api/proposals', 'proposals'],
  ['/api/sections', 'proposals'],
  ['/api/ai', 'proposals'],
  ['/api/exports', 'exports'],
  ['/api/uploads', 'uploads'],
]

export function partOf(path: string): Part {
  return PREFIXES.find(([prefix]) => path.startsWith(prefix))?.[1] ?? 'account'
}

export const unavailable = new Store<ReadonlySet<Part>>(new Set())

export function reportHealth(path: string, ok: boolean): void {
  const part = partOf(path)
  if (unavailable.get().has(part) !== ok) return
  const next = new Set(unavailable.get())
  if (ok) next.delete(part)
  else next.add(part)
  unavailable.set(next)
}
