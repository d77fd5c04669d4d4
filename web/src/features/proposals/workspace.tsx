import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ChevronLeft, FileDown, ListTree, Megaphone, Sparkles } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { flushSync } from 'react-dom'

import { proposalQuery, sectionsQuery, type Proposal, type Section } from '@/api'
import { ExportPanel } from '@/features/exports/panel'
import { canWrite, useOrg } from '@/features/shell/org'
import { Button, buttonClass } from '@/ui/button'
import { cx } from '@/ui/cx'
import { EmptyState, ErrorNotice, Loading } from '@/ui/feedback'
import { useTitle } from '@/ui/page'
import { Tabs } from '@/ui/tabs'
import { toast } from '@/ui/toast'

import { CallPanel } from './call-panel'
import { Header } from './header'
import { RemovedSections } from './removed-sections'
import { AddSection, SectionList } from './section-list'
import { SectionPane } from './section-pane'
import { usePlan } from './use-plan'

const route = getRouteApi('/shell/proposals/$proposalId')
const PANELS = 'panels'

export type PanelTab = 'assistant' | 'call' | 'export'

export default function Workspace() {
  const { proposalId } = route.useParams()
  const proposal = useQuery(proposalQuery(proposalId))
  const sections = useQuery(sectionsQuery(proposalId))
  useTitle(proposal.data?.title)

  const error = (!proposal.data && proposal.error) || (!sections.data && sections.error)
  if (error) {
    return (
      <div className="mx-auto w-full max-w-xl px-4 py-16">
        <ErrorNotice
          error={error}
          onRetry={() => {
            void proposal.refetch()
            void sections.refetch()
          }}
        />
        <p className="mt-4">
          <Link to="/proposals" className={buttonClass('secondary')}>
            <ChevronLeft aria-hidden /> All proposals
          </Link>
        </p>
      </div>
    )
  }
  if (!proposal.data || !sections.data) {
    return (
      <div className="mx-auto w-full max-w-5xl px-4 py-10">
        <Loading label="Loading the proposal" />
      </div>
    )
  }
  return <Loaded proposal={proposal.data} sections={sections.data} />
}

function Loaded({ proposal, sections }: { proposal: Proposal; sections: Section[] }) {
  const { section: sectionId, at } = route.useSearch()
  const editable = canWrite(useOrg()) && proposal.state !== 'archived'
  const [tab, setTab] = useState<PanelTab>('assistant')
  const plan = usePlan(proposal.id)
  const showExport = () => {
    flushSync(() => setTab('export'))
    // On a small screen the panels lie below the text.
    document.getElementById(PANELS)?.scrollIntoView({ behavior: 'smooth' })
  }
  const current = sections.find((s) => s.id === sectionId) ?? sections[0]

  // One panel for the whole page; what the assistant says depends on the section.
  const panel = (assistant: ReactNode) => (
    <Tabs
      label="Panels"
      value={tab}
      onChange={setTab}
      tabs={[
        {
          value: 'assistant',
          label: (
            <>
              <Sparkles aria-hidden /> Assistant
            </>
          ),
          content: assistant,
        },
        {
          value: 'call',
          label: (
            <>
              <Megaphone aria-hidden /> Call
            </>
          ),
          content: <CallPanel proposal={proposal} editable={editable} />,
        },
        {
          value: 'export',
          label: (
            <>
              <FileDown aria-hidden /> Export
            </>
          ),
          content: <ExportPanel proposalId={proposal.id} title={proposal.title} sections={sections} />,
        },
      ]}
    />
  )

  return (
    <div className="flex min-h-0 flex-1 flex-col xl:h-[calc(100dvh-3.75rem)] xl:flex-none">
      <Header proposal={proposal} sections={sections} editable={editable} onExport={showExport} />
      <div className="grid min-h-0 flex-1 grid-cols-1 max-xl:grid-rows-[auto_1fr_auto] lg:grid-cols-[17rem_minmax(0,1fr)] lg:max-xl:grid-rows-[1fr_auto] xl:grid-cols-[17rem_minmax(0,1fr)_23rem]">
        <aside
          className={cx(
            'border-line max-lg:border-b lg:row-span-2 lg:border-r xl:row-span-1 xl:overflow-y-auto',
            sections.length === 0 && 'max-lg:hidden',
          )}
          aria-label="Sections"
        >
          <div className="p-3">
            {sections.length > 0 && (
              <SectionList proposalId={proposal.id} sections={sections} currentId={current?.id} editable={editable} />
            )}
            {editable && sections.length > 0 && (
              <div className="mt-3 grid gap-1 max-lg:mt-2 max-lg:grid-cols-2">
                <AddSection proposalId={proposal.id} />
                <Button
                  variant="ghost"
                  size="sm"
                  className="w-full justify-start!"
                  busy={plan.isPending}
                  onClick={() => plan.mutate(undefined, { onError: toast.error })}
                >
                  <ListTree aria-hidden /> Plan sections again
                </Button>
                <RemovedSections proposalId={proposal.id} />
              </div>
            )}
            {sections.length === 0 && <p className="px-2 py-1.5 text-[0.93rem] text-ink-3">No sections yet.</p>}
          </div>
        </aside>
        {current ? (
          <SectionPane
            key={current.id}
            proposal={proposal}
            section={current}
            at={at}
            editable={editable}
            panel={(assistant) => <Panels>{panel(assistant)}</Panels>}
          />
        ) : (
          <>
            <div className="min-w-0 bg-surface xl:overflow-y-auto">
              <EmptyState
                icon={<ListTree aria-hidden />}
                title={plan.isPending ? 'Reading the call…' : 'Plan the sections'}
                action={
                  editable && (
                    <>
                      <Button variant="primary" busy={plan.isPending} onClick={() => plan.mutate()}>
                        <ListTree aria-hidden /> Plan sections
                      </Button>
                      <AddSection proposalId={proposal.id} variant="secondary" />
                      <RemovedSections proposalId={proposal.id} />
                    </>
                  )
                }
              >
                Bidwright reads the call and lays out the sections it asks for, with their criteria, page limits and the
                questions to answer.
              </EmptyState>
              {plan.error ? (
                <div className="mx-auto max-w-lg px-4 pb-8">
                  <ErrorNotice error={plan.error} />
                </div>
              ) : null}
            </div>
            <Panels>{panel(<p className="text-ink-2">Plan or add a section, then draft it here.</p>)}</Panels>
          </>
        )}
      </div>
    </div>
  )
}

/** Beside the text, or below it on a small screen. */
function Panels({ children }: { children: ReactNode }) {
  return (
    <aside
      id={PANELS}
      className="flex min-h-0 scroll-mt-15 flex-col border-line max-xl:border-t xl:border-l"
      aria-label="Assistant, call and export"
    >
      {children}
    </aside>
  )
}
