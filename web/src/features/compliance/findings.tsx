import { Link } from '@tanstack/react-router'

import type { Check, CheckFinding } from '@/api'
import { Badge, Notice } from '@/ui/feedback'
import { plural } from '@/ui/format'

import { SEVERITIES } from './words'

/** What the check found, the gravest first. */
export function Findings({ check }: { check: Check }) {
  const severities = (Object.keys(SEVERITIES) as CheckFinding['severity'][]).filter((one) => check.counts[one])
  const counted = severities
    .map((one) => plural(check.counts[one] ?? 0, SEVERITIES[one].one, SEVERITIES[one].many))
    .join(', ')
  return (
    <div className="space-y-5">
      <Notice
        tone={check.ready ? 'ok' : 'warn'}
        role="status"
        title={check.ready ? 'Nothing stands in the way' : 'Not ready to submit'}
      >
        {counted || 'Each requirement is answered, and each section approved.'}
      </Notice>
      {severities.map((severity) => (
        <section key={severity} aria-labelledby={`findings-${severity}`}>
          <h2 id={`findings-${severity}`} className="mb-2 flex items-center gap-2 font-semibold">
            {SEVERITIES[severity].name}
            <Badge tone={SEVERITIES[severity].tone}>{check.counts[severity]}</Badge>
          </h2>
          <ul className="divide-y divide-line rounded-xl border border-line" aria-label={SEVERITIES[severity].name}>
            {check.findings
              .filter((finding) => finding.severity === severity)
              .map((finding, i) => (
                <Finding key={i} finding={finding} proposalId={check.proposal_id} />
              ))}
          </ul>
        </section>
      ))}
    </div>
  )
}

function Finding({ finding, proposalId }: { finding: CheckFinding; proposalId: string }) {
  return (
    <li className="flex flex-wrap items-baseline gap-x-4 gap-y-1 px-4 py-3">
      <div className="min-w-0 flex-1 basis-72">
        <p className="break-words">{finding.words}</p>
        <p className="text-[0.93rem] text-ink-3">{finding.what_to_do}</p>
      </div>
      {finding.section_id && (
        <Link
          to="/proposals/$proposalId"
          params={{ proposalId }}
          search={{
            section: finding.section_id,
            at: finding.place ? `${finding.place.start}-${finding.place.end}` : undefined,
          }}
          className="font-medium text-accent-ink underline"
          aria-label={`${finding.place ? 'Show the place' : 'Open the section'}: ${finding.words.slice(0, 80)}`}
        >
          {finding.place ? 'Show the place' : 'Open the section'}
        </Link>
      )}
    </li>
  )
}
