import { useMutation } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { ChevronLeft, EllipsisVertical, FileDown, ListChecks, Pencil, Trash2 } from 'lucide-react'
import { useState } from 'react'

import { api, keys, queryClient, type Proposal, type Section } from '@/api'
import { Button, ButtonLink, IconButton } from '@/ui/button'
import { ConfirmDialog, Dialog } from '@/ui/dialog'
import { ErrorNotice } from '@/ui/feedback'
import { TextField } from '@/ui/field'
import { Menu, MenuItem } from '@/ui/menu'
import { toast } from '@/ui/toast'

interface HeaderProps {
  proposal: Proposal
  sections: Section[]
  editable: boolean
  onExport: () => void
}

/** The proposal's name and what is done with it as a whole. */
export function Header({ proposal, sections, editable, onExport }: HeaderProps) {
  const [renaming, setRenaming] = useState(false)
  const [deleting, setDeleting] = useState(false)
  const navigate = useNavigate()
  const approved = sections.filter((s) => s.status === 'approved').length
  const remove = useMutation({
    mutationFn: () => api.deleteProposal(proposal.id),
    onSuccess: async () => {
      await navigate({ to: '/proposals' })
      void queryClient.invalidateQueries({ queryKey: keys.proposals() })
      toast.show({ title: 'Deleted', description: proposal.title })
    },
    onError: toast.error,
  })
  return (
    <header className="flex items-center gap-x-3 gap-y-1.5 border-b border-line px-4 py-2.5 max-sm:flex-wrap sm:px-6">
      <div className="flex min-w-0 items-center gap-1.5 max-sm:w-full">
        <Link
          to="/proposals"
          aria-label="All proposals"
          title="All proposals"
          className="-ml-1.5 rounded-lg p-1.5 text-ink-3 hover:bg-sunken hover:text-ink"
        >
          <ChevronLeft className="size-5" aria-hidden />
        </Link>
        <h1
          className="line-clamp-2 min-w-0 font-serif text-[1.4rem] leading-tight font-semibold tracking-tight sm:line-clamp-1"
          title={proposal.title}
        >
          {proposal.title}
        </h1>
      </div>
      {sections.length > 0 && (
        <span className="shrink-0 text-[0.9rem] text-ink-3 tabular-nums">
          {approved} of {sections.length} approved
        </span>
      )}
      <div className="ml-auto flex shrink-0 items-center gap-1.5">
        <ButtonLink size="sm" to="/proposals/$proposalId/compliance" params={{ proposalId: proposal.id }}>
          <ListChecks aria-hidden /> Compliance
        </ButtonLink>
        <Button size="sm" onClick={onExport}>
          <FileDown aria-hidden /> Export
        </Button>
        {editable && (
          <Menu
            align="end"
            trigger={
              <IconButton label="More">
                <EllipsisVertical aria-hidden />
              </IconButton>
            }
          >
            <MenuItem onClick={() => setRenaming(true)}>
              <Pencil aria-hidden /> Rename
            </MenuItem>
            <MenuItem danger onClick={() => setDeleting(true)}>
              <Trash2 aria-hidden /> Delete
            </MenuItem>
          </Menu>
        )}
      </div>
      <RenameDialog proposal={proposal} open={renaming} onOpenChange={setRenaming} />
      <ConfirmDialog
        open={deleting}
        onOpenChange={setDeleting}
        title="Delete this proposal?"
        confirm="Delete"
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      >
        “{proposal.title}” with all its sections is removed for everyone. This cannot be undone.
      </ConfirmDialog>
    </header>
  )
}

function RenameDialog({
  proposal,
  open,
  onOpenChange,
}: {
  proposal: Proposal
  open: boolean
  onOpenChange: (open: boolean) => void
}) {
  const rename = useMutation({
    mutationFn: (title: string) => api.renameProposal(proposal.id, title),
    onSuccess: (saved) => {
      queryClient.setQueryData(keys.proposal(proposal.id), saved)
      void queryClient.invalidateQueries({ queryKey: keys.proposals() })
      onOpenChange(false)
    },
  })
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Rename the proposal">
      <form
        className="space-y-4"
        onSubmit={(e) => {
          e.preventDefault()
          rename.mutate(String(new FormData(e.currentTarget).get('title') ?? '').trim())
        }}
      >
        {rename.error && <ErrorNotice error={rename.error} />}
        <TextField label="Title" name="title" defaultValue={proposal.title} required maxLength={300} autoFocus />
        <div className="flex justify-end gap-2">
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button type="submit" variant="primary" busy={rename.isPending}>
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
