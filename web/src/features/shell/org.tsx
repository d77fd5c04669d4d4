import { useMutation, useSuspenseQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Building2, Check, ChevronsUpDown, KeyRound, Plus, ScrollText, Settings, User } from 'lucide-react'
import { useState } from 'react'
import { Menu as BaseMenu } from '@base-ui/react/menu'

import { api, currentOrg, isApiError, meQuery, queryClient, selectOrg, useStore, type OrgMembership } from '@/api'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { ErrorNotice } from '@/ui/feedback'
import { TextField } from '@/ui/field'
import { Menu, MenuItem, MenuLink, MenuRadio, MenuRadioItem, MenuSeparator } from '@/ui/menu'
import { toast } from '@/ui/toast'

/** The organisation this tab works in; the shell guarantees that there is one. */
export function useOrg(): OrgMembership {
  const { data } = useSuspenseQuery(meQuery)
  const id = useStore(currentOrg)
  const org = data.orgs.find((o) => o.id === id) ?? data.orgs.find((o) => o.personal) ?? data.orgs[0]
  if (!org) throw new Error('a user without an organisation')
  return org
}

export const canManage = (org: OrgMembership): boolean => org.role === 'owner' || org.role === 'admin'
export const canWrite = (org: OrgMembership): boolean => org.role !== 'viewer'
export const orgLabel = (org: OrgMembership): string => (org.personal ? 'Personal' : org.name)

export function OrgSwitcher() {
  const { data: me } = useSuspenseQuery(meQuery)
  const org = useOrg()
  const navigate = useNavigate()
  const [creating, setCreating] = useState(false)

  const switchTo = (id: string) => {
    if (id === org.id) return
    selectOrg(id)
    void navigate({ to: '/proposals' })
  }

  return (
    <>
      <Menu
        trigger={
          <button
            type="button"
            aria-label={`Organisation: ${orgLabel(org)}. Switch`}
            className="inline-flex h-9.5 max-w-56 min-w-0 items-center gap-2 rounded-lg border border-line bg-surface px-2.5 font-medium hover:bg-sunken"
          >
            <OrgIcon org={org} />
            <span className="truncate">{orgLabel(org)}</span>
            <ChevronsUpDown className="size-3.5 shrink-0 text-ink-3" aria-hidden />
          </button>
        }
      >
        <MenuRadio label="Organisations" value={org.id} onChange={switchTo}>
          {me.orgs.map((o) => (
            <MenuRadioItem key={o.id} value={o.id}>
              <OrgIcon org={o} />
              <span className="min-w-0 flex-1 truncate">{orgLabel(o)}</span>
              <span className="text-[0.8rem] text-ink-3 capitalize">{o.tier}</span>
              <BaseMenu.RadioItemIndicator>
                <Check aria-hidden />
              </BaseMenu.RadioItemIndicator>
            </MenuRadioItem>
          ))}
        </MenuRadio>
        <MenuSeparator />
        <MenuItem onClick={() => setCreating(true)}>
          <Plus aria-hidden /> New organisation
        </MenuItem>
        <MenuSeparator />
        <MenuLink to="/organisation">
          <Settings aria-hidden /> Settings
        </MenuLink>
        <MenuLink to="/keys">
          <KeyRound aria-hidden /> API keys
        </MenuLink>
        <MenuLink to="/audit">
          <ScrollText aria-hidden /> Audit
        </MenuLink>
      </Menu>
      <CreateOrg open={creating} onOpenChange={setCreating} onCreated={switchTo} />
    </>
  )
}

function OrgIcon({ org }: { org: OrgMembership }) {
  const Icon = org.personal ? User : Building2
  return <Icon className="size-4 shrink-0 text-ink-3" aria-hidden />
}

function CreateOrg({
  open,
  onOpenChange,
  onCreated,
}: {
  open: boolean
  onOpenChange: (open: boolean) => void
  onCreated: (id: string) => void
}) {
  const create = useMutation({
    mutationFn: api.createOrg,
    onSuccess: async (org) => {
      await queryClient.invalidateQueries({ queryKey: meQuery.queryKey })
      onOpenChange(false)
      onCreated(org.id)
      toast.show({ title: `${org.name} is ready`, description: 'Invite people under Members.' })
    },
  })
  const nameError = isApiError(create.error) ? create.error.field('name') : undefined
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="New organisation"
      description="A team shares proposals, uploads and one subscription."
    >
      <form
        className="space-y-4"
        onSubmit={(e) => {
          e.preventDefault()
          create.mutate(String(new FormData(e.currentTarget).get('name') ?? '').trim())
        }}
      >
        {create.error && !nameError && <ErrorNotice error={create.error} />}
        <TextField
          label="Name"
          name="name"
          required
          maxLength={120}
          autoFocus
          placeholder="Riverside Trust"
          error={nameError}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button type="submit" variant="primary" busy={create.isPending}>
            Create organisation
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
