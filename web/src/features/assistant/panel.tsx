import { Ban } from 'lucide-react'
import { lazy, Suspense } from 'react'

import { explain, isApiError, JobFailed, type Proposal, type Section } from '@/api'
import { Button } from '@/ui/button'
import { Badge, ErrorNotice, Notice, Skeleton } from '@/ui/feedback'
import { toast } from '@/ui/toast'

import { cancel, dismissError, useGeneration } from './generations'
import { Draft, Revise, type Settle } from './requests'

const MarkdownView = lazy(() => import('@/features/editor/markdown-view'))

interface PanelProps {
  proposal: Proposal
  section: Section
  editable: boolean
  settle: Settle
}

export function AssistantPanel({ proposal, section, editable, settle }: PanelProps) {
  const generation = useGeneration(section.id)
  return (
    <div className="space-y-5">
      <Brief section={section} />
      {generation.error ? <Refusal sectionId={section.id} error={generation.error} /> : null}
      {generation.running ? (
        <Progress sectionId={section.id} />
      ) : section.status === 'approved' ? (
        <Notice tone="ok" title="This section is approved">
          Its text is locked and goes into the export. Withdraw the approval to change it.
        </Notice>
      ) : !editable ? (
        <Notice>Your role lets you read. Ask an admin for the member role to write.</Notice>
      ) : generation.suggestion ? (
        <Notice tone="accent" title="A suggestion is waiting">
          Look at the changes in the text, then accept or discard them.
        </Notice>
      ) : (
        <>
          {section.text.trim() !== '' && <Revise settle={settle} />}
          <Draft proposal={proposal} section={section} settle={settle} />
        </>
      )}
    </div>
  )
}

/** What the call asks of this section. */
function Brief({ section }: { section: Section }) {
  const criteria = criteriaOf(section.criteria)
  if (!section.guidance && !section.page_limit && criteria.length === 0) return null
  return (
    <section aria-label="What the call asks" className="rounded-xl bg-sunken px-4 py-3">
      <h3 className="text-[0.87rem] font-semibold text-ink-2">What the call asks</h3>
      {section.guidance && (
        <div className="compact mt-1">
          <Suspense fallback={<Skeleton className="h-12 bg-line!" />}>
            <MarkdownView text={section.guidance} />
          </Suspense>
        </div>
      )}
      {criteria.length > 0 && (
        <ul className="mt-2 list-disc space-y-1 pl-4.5 text-[0.93rem]">
          {criteria.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      {section.page_limit ? (
        <p className="mt-2">
          <Badge className="border border-line-strong">
            At most {section.page_limit} {section.page_limit === 1 ? 'page' : 'pages'}
          </Badge>
        </p>
      ) : null}
    </section>
  )
}

/** Criteria come as lines, or as objects with a text and points. */
export function criteriaOf(value: unknown): string[] {
  if (!Array.isArray(value)) return typeof value === 'string' && value ? [value] : []
  return value.flatMap((item: unknown) => {
    if (typeof item === 'string') return [item]
    if (!item || typeof item !== 'object') return []
    const { text, title, name, points } = item as Record<string, unknown>
    const words = [text, title, name].find((w) => typeof w === 'string' && w !== '')
    if (typeof words !== 'string') return []
    return [typeof points === 'number' ? `${words} (${points} points)` : words]
  })
}

function Refusal({ sectionId, error }: { sectionId: string; error: unknown }) {
  if (error instanceof JobFailed) {
    return (
      <Notice
        tone="danger"
        role="alert"
        title="The AI could not finish"
        actions={
          <Button size="sm" onClick={() => dismissError(sectionId)}>
            All right
          </Button>
        }
      >
        {error.message}
      </Notice>
    )
  }
  if (isApiError(error, 'quota_exceeded')) return <ErrorNotice error={error} />
  const { title, hint } = explain(error)
  return (
    <Notice tone="warn" role="alert" title={title}>
      {hint}
    </Notice>
  )
}

const STATUS: Record<string, string> = {
  queued: 'Waiting for its turn…',
  running: 'Writing…',
}

function Progress({ sectionId }: { sectionId: string }) {
  const { running } = useGeneration(sectionId)
  if (!running) return null
  return (
    <div className="card flex items-center gap-3 p-4" role="status">
      <span className="relative flex size-2.5" aria-hidden>
        <span className="absolute inline-flex size-full animate-ping rounded-full bg-accent opacity-60" />
        <span className="relative inline-flex size-2.5 rounded-full bg-accent" />
      </span>
      <span className="flex-1 font-medium">
        {running.cancelling
          ? 'Stopping…'
          : running.kind === 'revise' && running.status === 'running'
            ? 'Revising…'
            : (STATUS[running.status] ?? 'Working…')}
      </span>
      <Button
        size="sm"
        disabled={!running.jobId || running.cancelling}
        onClick={() => void cancel(sectionId).catch(toast.error)}
      >
        <Ban aria-hidden /> Cancel
      </Button>
    </div>
  )
}
