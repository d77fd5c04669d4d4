import { useMutation } from '@tanstack/react-query'
import { Ellipsis, UserMinus, X } from 'lucide-react'
import { useState } from 'react'

import { api, keys, queryClient, type InviteRole, type Member, type OrgMembership } from '@/api'
import { IconButton } from '@/ui/button'
import { ConfirmDialog } from '@/ui/dialog'
import { Menu, MenuItem, MenuRadio, MenuRadioItem, MenuSeparator } from '@/ui/menu'
import { toast } from '@/ui/toast'

import { grantable, mayManage } from './rules'

/** Another role, or out; for whom the person may do so. */
export function ManageMember({ org, member, self }: { org: OrgMembership; member: Member; self: boolean }) {
  const [removing, setRemoving] = useState(false)
  const name = member.name || member.email
  const change = useMutation({
    mutationFn: (role: InviteRole) => api.changeRole(org.id, member.user_id, role),
    onSuccess: async (_, role) => {
      toast.show({ title: `${name} is now ${role === 'admin' ? 'an' : 'a'} ${role}` })
      await queryClient.invalidateQueries({ queryKey: keys.members() })
    },
    onError: toast.error,
  })
  const remove = useMutation({
    mutationFn: () => api.removeMember(org.id, member.user_id),
    onSuccess: async () => {
      toast.show({ title: `${name} is removed` })
      await queryClient.invalidateQueries({ queryKey: keys.members() })
      void queryClient.invalidateQueries({ queryKey: keys.usage() })
    },
    onError: toast.error,
    onSettled: () => setRemoving(false),
  })
  if (self || !mayManage(org.role, member.role)) return null
  return (
    <>
      <Menu
        align="end"
        trigger={
          <IconButton label={`Manage ${name}`}>
            <Ellipsis aria-hidden />
          </IconButton>
        }
      >
        <MenuRadio
          label="Role"
          value={member.role as InviteRole}
          onChange={(role) => role !== member.role && change.mutate(role)}
        >
          {grantable(org.role).map((role) => (
            <MenuRadioItem key={role} value={role}>
              <span className="flex-1 capitalize">{role}</span>
              {role === member.role && <span className="text-[0.8rem] text-ink-3">now</span>}
            </MenuRadioItem>
          ))}
        </MenuRadio>
        <MenuSeparator />
        <MenuItem danger onClick={() => setRemoving(true)}>
          <UserMinus aria-hidden /> Remove
        </MenuItem>
      </Menu>
      <ConfirmDialog
        open={removing}
        onOpenChange={setRemoving}
        title={`Remove ${name}?`}
        confirm="Remove member"
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      >
        They can no longer open anything of {org.name}. What they wrote stays.
      </ConfirmDialog>
    </>
  )
}

/** Takes an open invite back. */
export function RevokeInvite({ orgId, id, email }: { orgId: string; id: string; email: string }) {
  const revoke = useMutation({
    mutationFn: () => api.revokeInvite(orgId, id),
    onSuccess: async () => {
      toast.show({ title: 'Invite withdrawn', description: `The link sent to ${email} no longer works.` })
      await queryClient.invalidateQueries({ queryKey: keys.invites() })
    },
    onError: toast.error,
  })
  return (
    <IconButton label={`Withdraw the invite of ${email}`} disabled={revoke.isPending} onClick={() => revoke.mutate()}>
      <X aria-hidden />
    </IconButton>
  )
}
