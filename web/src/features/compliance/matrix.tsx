import { Link } from '@tanstack/react-router'
import { Pencil } from 'lucide-react'
import { useState } from 'react'

import type { Compliance, Requirement, RequirementState, Section } from '@/api'
import { STATUS_NAMES } from '@/features/proposals/section-list'
import { IconButton } from '@/ui/button'
import { Badge } from '@/ui/feedback'
import { SelectField } from '@/ui/field'
import { plural } from '@/ui/format'

import { MappingDialog } from './mapping'
import { KINDS, limitWords, STATES } from './words'

interface MatrixProps {
  matrix: Compliance
  sections: Section[]
  editable: boolean
  shown: RequirementState | undefined
  onShow: (state: RequirementState | undefined) => void
}

/** Each requirement, the sections that answer it, and how far they are. */
export function Matrix({ matrix, sections, editable, shown, onShow }: MatrixProps) {
  const [editing, setEditing] = useState<Requirement | null>(null)
  const rows = matrix.requirements.filter((one) => shown === undefined || one.state === shown)
  const states = Object.keys(STATES) as RequirementState[]
  return (
    <div className="space-y-4">
      <div className="flex flex-wrap items-end justify-between gap-3">
        <SelectField
          label="State"
          className="w-60"
          value={shown ?? ''}
          onChange={(e) => onShow((e.target.value || undefined) as RequirementState | undefined)}
        >
          <option value="">All {matrix.requirements.length}</option>
          {states.map((state) => (
            <option key={state} value={state}>
              {STATES[state].name} ({matrix.counts[state] ?? 0})
            </option>
          ))}
        </SelectField>
        <p role="status" className="text-[0.93rem] text-ink-2">
          {plural(rows.length, 'requirement')} shown
        </p>
      </div>
      {rows.length === 0 ? (
        <p className="py-6 text-center text-ink-2">No requirement is in this state.</p>
      ) : (
        // Reachable by Tab, so that a wide table can be scrolled without a mouse.
        <div role="region" aria-label="Compliance matrix" tabIndex={0} className="relative -mx-4 overflow-x-auto px-4">
          <table className="w-full min-w-[36rem] border-collapse text-left text-[0.95rem]">
            <caption className="sr-only">Requirements of the call and the sections that answer them</caption>
            <thead>
              <tr className="border-b border-line text-[0.87rem] text-ink-3 [&>th]:py-2 [&>th]:pr-4 [&>th]:font-medium">
                <th scope="col">Requirement</th>
                <th scope="col">State</th>
                <th scope="col">Sections</th>
                <th scope="col">Page</th>
              </tr>
            </thead>
            <tbody className="divide-y divide-line">
              {rows.map((one) => (
                <Row key={one.id} one={one} matrix={matrix} onEdit={editable ? () => setEditing(one) : undefined} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {editing && (
        <MappingDialog
          proposalId={matrix.proposal_id}
          requirement={editing}
          sections={sections}
          onClose={() => setEditing(null)}
        />
      )}
    </div>
  )
}

function Row({ one, matrix, onEdit }: { one: Requirement; matrix: Compliance; onEdit?: () => void }) {
  const facts = [limitWords(one.limit), one.weight === null ? '' : plural(one.weight, 'point')].filter(Boolean)
  return (
    <tr className="align-top [&>*]:py-3 [&>*]:pr-4">
      <th scope="row" className="w-1/2 min-w-44 font-normal max-sm:w-44">
        <span className="line-clamp-4 break-words">{one.words}</span>
        <span className="mt-1.5 flex flex-wrap items-center gap-x-2 gap-y-1 text-[0.85rem] text-ink-3">
          <Badge>{KINDS[one.kind]}</Badge>
          {facts.join(' · ')}
        </span>
      </th>
      <td>
        <Badge tone={STATES[one.state].tone}>{STATES[one.state].name}</Badge>
      </td>
      <td className="min-w-52">
        <div className="flex items-start gap-1">
          <ul className="min-w-0 flex-1 space-y-1">
            {one.sections.map((section) => (
              <li key={section.id}>
                <Link
                  to="/proposals/$proposalId"
                  params={{ proposalId: matrix.proposal_id }}
                  search={{ section: section.id }}
                  className="font-medium text-accent-ink underline"
                >
                  {section.title}
                </Link>
                <span className="text-[0.85rem] text-ink-3"> {STATUS_NAMES[section.status]}</span>
              </li>
            ))}
            {one.sections.length === 0 && <li className="text-ink-3">None</li>}
          </ul>
          {onEdit && (
            <IconButton label={`Change the sections for: ${one.words.slice(0, 80)}`} onClick={onEdit}>
              <Pencil aria-hidden />
            </IconButton>
          )}
        </div>
      </td>
      <td className="text-ink-2 tabular-nums">{one.place.page}</td>
    </tr>
  )
}
