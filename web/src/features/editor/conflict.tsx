import { lazy, Suspense, useState } from 'react'

import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Loading, Notice } from '@/ui/feedback'

import type { SaveState } from './autosave'

const MarkdownView = lazy(() => import('./markdown-view'))

interface ConflictProps {
  conflict: Extract<SaveState, { kind: 'conflict' }>
  onResolve: (choice: 'mine' | 'theirs') => void
}

/** The text was changed elsewhere while one wrote here: both versions, and the choice. */
export function ConflictNotice({ conflict, onResolve }: ConflictProps) {
  const [comparing, setComparing] = useState(false)
  return (
    <div className="px-5 pt-4 sm:px-10">
      <Notice
        tone="warn"
        role="alert"
        title="This section was changed elsewhere"
        actions={
          <>
            <Button size="sm" variant="primary" onClick={() => setComparing(true)}>
              Compare both versions
            </Button>
            <Button size="sm" onClick={() => onResolve('mine')}>
              Keep mine
            </Button>
            <Button size="sm" onClick={() => onResolve('theirs')}>
              Take the other
            </Button>
          </>
        }
      >
        Someone, or another window of yours, saved another text. Nothing is overwritten until you choose.
      </Notice>
      <Dialog
        open={comparing}
        onOpenChange={setComparing}
        title="Two versions"
        description="Choose the one that stays."
        wide
      >
        <Suspense fallback={<Loading rows={2} />}>
          <div className="grid gap-5 md:grid-cols-2">
            <Side title="Mine" text={conflict.mine} action="Keep mine" onChoose={() => onResolve('mine')} />
            <Side
              title="The other"
              text={conflict.theirs.text}
              action="Take the other"
              onChoose={() => onResolve('theirs')}
            />
          </div>
        </Suspense>
      </Dialog>
    </div>
  )
}

function Side({
  title,
  text,
  action,
  onChoose,
}: {
  title: string
  text: string
  action: string
  onChoose: () => void
}) {
  return (
    <section aria-label={title} className="flex flex-col rounded-xl border border-line">
      <div className="flex items-center justify-between gap-3 border-b border-line px-4 py-2.5">
        <h3 className="font-semibold">{title}</h3>
        <Button size="sm" onClick={onChoose}>
          {action}
        </Button>
      </div>
      <div
        tabIndex={0}
        role="group"
        aria-label={`Text of ${title.toLowerCase()}`}
        className="max-h-[50dvh] overflow-y-auto p-4"
      >
        <MarkdownView text={text} />
      </div>
    </section>
  )
}
