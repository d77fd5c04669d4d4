import { useMutation } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { Circle, CircleCheckBig, CircleDotDashed, LoaderCircle, Plus } from 'lucide-react'
import { useState } from 'react'

import { api, keys, queryClient, type Section } from '@/api'
import { useGeneration } from '@/features/assistant/generations'
import { Button } from '@/ui/button'
import { cx } from '@/ui/cx'
import { Dialog } from '@/ui/dialog'
import { ErrorNotice } from '@/ui/feedback'
import { TextField } from '@/ui/field'

import { MoveButtons } from './section-order'

export const STATUS_NAMES: Record<Section['status'], string> = { empty: 'Empty', draft: 'Draft', approved: 'Approved' }

interface SectionListProps {
  proposalId: string
  sections: Section[]
  currentId: string | undefined
  editable: boolean
}

export function SectionList({ proposalId, sections, currentId, editable }: SectionListProps) {
  return (
    <nav aria-label="Sections">
      <ol className="max-lg:flex max-lg:gap-1 max-lg:overflow-x-auto lg:space-y-0.5">
        {sections.map((section, i) => (
          <li
            key={section.id}
            className={cx('flex items-start max-lg:shrink-0', section.id === currentId && 'rounded-lg bg-accent-soft')}
          >
            <Link
              to="/proposals/$proposalId"
              params={{ proposalId }}
              search={{ section: section.id }}
              replace
              resetScroll={false}
              aria-current={section.id === currentId ? 'true' : undefined}
              className={cx(
                'flex min-w-0 flex-1 items-start gap-2.5 rounded-lg px-2.5 py-2 max-lg:max-w-56',
                section.id === currentId ? 'text-accent-ink' : 'hover:bg-sunken',
              )}
            >
              <StatusIcon section={section} />
              <span className="min-w-0 flex-1">
                <span className="line-clamp-2 leading-snug font-medium">
                  {i + 1}. {section.title}
                </span>
                <span className={cx('text-[0.82rem]', section.id !== currentId && 'text-ink-3')}>
                  {STATUS_NAMES[section.status]}
                </span>
              </span>
            </Link>
            {editable && section.id === currentId && sections.length > 1 && (
              <MoveButtons proposalId={proposalId} sections={sections} section={section} />
            )}
          </li>
        ))}
      </ol>
    </nav>
  )
}

function StatusIcon({ section }: { section: Section }) {
  const { running } = useGeneration(section.id)
  const base = 'mt-0.5 size-4.5 shrink-0'
  if (running)
    return <LoaderCircle className={cx(base, 'animate-spin text-accent-ink')} aria-label="The AI is writing" />
  if (section.status === 'approved') return <CircleCheckBig className={cx(base, 'text-ok')} aria-hidden />
  if (section.status === 'draft') return <CircleDotDashed className={cx(base, 'text-warn')} aria-hidden />
  return <Circle className={cx(base, 'text-ink-3')} aria-hidden />
}

export function AddSection({ proposalId, variant = 'ghost' }: { proposalId: string; variant?: 'ghost' | 'secondary' }) {
  const [open, setOpen] = useState(false)
  const navigate = useNavigate()
  const add = useMutation({
    mutationFn: (title: string) => api.addSection(proposalId, title),
    onSuccess: async (section) => {
      await queryClient.invalidateQueries({ queryKey: keys.sections(proposalId) })
      void queryClient.invalidateQueries({ queryKey: keys.proposal(proposalId) })
      setOpen(false)
      await navigate({
        to: '/proposals/$proposalId',
        params: { proposalId },
        search: { section: section.id },
        replace: true,
      })
    },
  })
  return (
    <>
      <Button
        variant={variant}
        size={variant === 'ghost' ? 'sm' : 'md'}
        className={variant === 'ghost' ? 'w-full justify-start!' : undefined}
        onClick={() => setOpen(true)}
      >
        <Plus aria-hidden /> Add a section
      </Button>
      <Dialog open={open} onOpenChange={setOpen} title="Add a section">
        <form
          className="space-y-4"
          onSubmit={(e) => {
            e.preventDefault()
            add.mutate(String(new FormData(e.currentTarget).get('title') ?? '').trim())
          }}
        >
          {add.error && <ErrorNotice error={add.error} />}
          <TextField label="Title" name="title" required maxLength={300} autoFocus />
          <div className="flex justify-end gap-2">
            <Button onClick={() => setOpen(false)}>Cancel</Button>
            <Button type="submit" variant="primary" busy={add.isPending}>
              Add section
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  )
}
