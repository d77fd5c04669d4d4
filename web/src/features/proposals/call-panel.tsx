import { useQuery } from '@tanstack/react-query'

import { uploadQuery, type Proposal } from '@/api'
import { UploadTextView } from '@/features/uploads/text-view'
import { Badge, ErrorNotice, Loading, Notice } from '@/ui/feedback'

import { AddCall } from './add-call'

const KINDS: Record<string, string> = {
  deadline: 'Deadline',
  page_limit: 'Page limit',
  budget: 'Budget',
  eligibility: 'Eligibility',
  attachment: 'Attachment',
}

/** The call that the proposal answers: what binds it, then its text. */
export function CallPanel({ proposal, editable }: { proposal: Proposal; editable: boolean }) {
  const findings = proposal.findings ?? []
  return (
    <div className="space-y-5">
      {findings.length > 0 && (
        <section aria-labelledby="findings">
          <h3 id="findings" className="mb-2 font-semibold">
            What binds you
          </h3>
          <ul className="space-y-2">
            {findings.map((finding, i) => (
              <li key={i} className="rounded-xl bg-sunken px-3.5 py-2.5">
                <div className="flex items-center gap-2">
                  <Badge tone={finding.kind === 'deadline' ? 'warn' : 'accent'}>
                    {KINDS[finding.kind] ?? finding.kind}
                  </Badge>
                  <span className="text-[0.82rem] text-ink-3">page {finding.page}</span>
                </div>
                <p className="mt-1 text-[0.95rem]">{finding.text}</p>
              </li>
            ))}
          </ul>
        </section>
      )}
      {proposal.call_upload_id ? (
        <CallFile id={proposal.call_upload_id} />
      ) : (
        findings.length === 0 && (
          <Notice>
            {proposal.has_call_text
              ? 'The call was pasted as text. Plan the sections to see here what binds you.'
              : 'This proposal has no call.'}
          </Notice>
        )
      )}
      {editable && !proposal.call_upload_id && !proposal.has_call_text && <AddCall proposalId={proposal.id} />}
    </div>
  )
}

function CallFile({ id }: { id: string }) {
  const upload = useQuery(uploadQuery(id))
  if (upload.isPending) return <Loading label="Loading the call" rows={2} />
  if (upload.error) return <ErrorNotice error={upload.error} onRetry={() => void upload.refetch()} />
  return (
    <section aria-label="The call">
      <h3 className="mb-3 font-semibold break-words">{upload.data.filename}</h3>
      {upload.data.status === 'ready' && <UploadTextView id={id} compact />}
    </section>
  )
}
