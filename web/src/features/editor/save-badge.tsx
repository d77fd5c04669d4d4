import { Check, CloudOff, LoaderCircle, PencilLine, TriangleAlert } from 'lucide-react'

import { explain } from '@/api'
import { cx } from '@/ui/cx'

import type { SaveState } from './autosave'

/** Says whether what was typed is safe. */
export function SaveBadge({ state }: { state: SaveState }) {
  const [Icon, text, tone] = describe(state)
  return (
    <span role="status" aria-live="polite" className={cx('inline-flex items-center gap-1.5 text-[0.87rem]', tone)}>
      <Icon className={cx('size-3.5', state.kind === 'saving' && 'animate-spin')} aria-hidden />
      {text}
    </span>
  )
}

function describe(state: SaveState): [typeof Check, string, string] {
  switch (state.kind) {
    case 'saved':
      return [Check, 'Saved', 'text-ink-3']
    case 'dirty':
      return [PencilLine, 'Editing', 'text-ink-3']
    case 'saving':
      return [LoaderCircle, 'Saving…', 'text-ink-3']
    case 'conflict':
      return [TriangleAlert, 'Changed elsewhere', 'text-danger']
    case 'failed':
      return state.willRetry
        ? [CloudOff, 'Not saved yet; trying again', 'text-warn']
        : [TriangleAlert, `Not saved: ${explain(state.error).title}`, 'text-danger']
  }
}
