/** Who may change whom, as the server decides it; here only to offer what it would not refuse. */

import type { InviteRole, Member } from '@/api'

type Role = Member['role']

/** An owner manages everyone but an owner; an admin those below. */
export function mayManage(actor: Role, target: Role): boolean {
  if (target === 'owner') return false
  return actor === 'owner' || (actor === 'admin' && target !== 'admin')
}

/** The roles that one may give to others: nobody lifts a person to their own place, but an owner. */
export function grantable(actor: Role): InviteRole[] {
  return actor === 'owner' ? ['admin', 'member', 'viewer'] : actor === 'admin' ? ['member', 'viewer'] : []
}
