import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ChevronLeft, ClipboardCheck, Download, ListTree } from 'lucide-react'

import {
  api,
  checkQuery,
  complianceQuery,
  download,
  keys,
  proposalQuery,
  queryClient,
  sectionsQuery,
  type Compliance,
  type Proposal,
} from '@/api'
import { usePlan } from '@/features/proposals/use-plan'
import { canWrite, useOrg } from '@/features/shell/org'
import { Button, buttonClass } from '@/ui/button'
import { EmptyState, ErrorNotice, Loading } from '@/ui/feedback'
import { Page } from '@/ui/page'
import { Tabs } from '@/ui/tabs'
import { toast } from '@/ui/toast'

import { Findings } from './findings'
import { Matrix } from './matrix'
import { isState } from './words'

const route = getRouteApi('/shell/proposals/$proposalId/compliance')

/** What the call demands against what is written, and what is left before it can be handed in. */
export default function CompliancePage() {
  const { proposalId } = route.useParams()
  const proposal = useQuery(proposalQuery(proposalId))
  const matrix = useQuery(complianceQuery(proposalId))
  const save = useMutation({
    mutationFn: (format: 'csv' | 'docx') => download(api.complianceFile(proposalId, format), `compliance.${format}`),
    onError: toast.error,
  })
  const error = (!proposal.data && proposal.error) || (!matrix.data && matrix.error)
  return (
    <Page
      title="Compliance"
      lead={
        <Link
          to="/proposals/$proposalId"
          params={{ proposalId }}
          className="inline-flex items-center gap-1 break-words text-accent-ink hover:underline"
        >
          <ChevronLeft className="size-4 shrink-0" aria-hidden /> {proposal.data?.title ?? 'The proposal'}
        </Link>
      }
      actions={
        matrix.data &&
        matrix.data.requirements.length > 0 && (
          <div className="flex flex-wrap gap-2">
            {(['docx', 'csv'] as const).map((format) => (
              <Button
                key={format}
                busy={save.isPending && save.variables === format}
                disabled={save.isPending}
                onClick={() => save.mutate(format)}
              >
                <Download aria-hidden /> Download {format.toUpperCase()}
              </Button>
            ))}
          </div>
        )
      }
    >
      {error ? (
        <ErrorNotice
          error={error}
          onRetry={() => {
            void proposal.refetch()
            void matrix.refetch()
          }}
        />
      ) : proposal.data && matrix.data ? (
        <Loaded proposal={proposal.data} matrix={matrix.data} />
      ) : (
        <Loading label="Loading the requirements" />
      )}
    </Page>
  )
}

function Loaded({ proposal, matrix }: { proposal: Proposal; matrix: Compliance }) {
  const { view = 'matrix', state } = route.useSearch()
  const navigate = route.useNavigate()
  const editable = canWrite(useOrg()) && proposal.state !== 'archived'
  const sections = useQuery(sectionsQuery(proposal.id))
  const check = useQuery(checkQuery(proposal.id))
  if (matrix.requirements.length === 0) return <Nothing proposal={proposal} matrix={matrix} editable={editable} />
  return (
    <div className="card flex flex-col">
      <Tabs
        label="Compliance"
        value={view}
        onChange={(next: 'matrix' | 'check') =>
          void navigate({ search: { view: next === 'check' ? 'check' : undefined, state }, replace: true })
        }
        tabs={[
          {
            value: 'matrix' as const,
            label: (
              <>
                <ListTree aria-hidden /> Requirements
              </>
            ),
            content: (
              <Matrix
                matrix={matrix}
                sections={sections.data ?? []}
                editable={editable}
                shown={isState(state) ? state : undefined}
                onShow={(next) => void navigate({ search: { state: next }, replace: true })}
              />
            ),
          },
          {
            value: 'check' as const,
            label: (
              <>
                <ClipboardCheck aria-hidden /> Before you submit
              </>
            ),
            content: check.data ? (
              <Findings check={check.data} />
            ) : check.error ? (
              <ErrorNotice error={check.error} onRetry={() => void check.refetch()} />
            ) : (
              <Loading label="Checking the proposal" />
            ),
          },
        ]}
      />
    </div>
  )
}

function Nothing({ proposal, matrix, editable }: { proposal: Proposal; matrix: Compliance; editable: boolean }) {
  const plan = usePlan(proposal.id)
  const hasCall = proposal.has_call_text || proposal.call_upload_id !== null
  const text = !hasCall
    ? 'This proposal has no call, so there is nothing to hold it to.'
    : matrix.planned
      ? 'The last plan found no requirement. Plan again to have the call read once more.'
      : 'Plan the sections first: Bidwright reads the call and lists each thing that it demands, with the page it stands on.'
  return (
    <div className="card">
      <EmptyState
        icon={<ListTree aria-hidden />}
        title={plan.isPending ? 'Reading the call…' : 'No requirements yet'}
        action={
          editable && hasCall ? (
            <Button
              variant="primary"
              busy={plan.isPending}
              onClick={() =>
                plan.mutate(undefined, {
                  onSuccess: () => queryClient.invalidateQueries({ queryKey: keys.compliance(proposal.id) }),
                  onError: toast.error,
                })
              }
            >
              <ListTree aria-hidden /> Plan sections
            </Button>
          ) : (
            <Link to="/proposals/$proposalId" params={{ proposalId: proposal.id }} className={buttonClass('secondary')}>
              <ChevronLeft aria-hidden /> Back to the proposal
            </Link>
          )
        }
      >
        {text}
      </EmptyState>
    </div>
  )
}
