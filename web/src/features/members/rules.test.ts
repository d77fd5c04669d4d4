import { describe, expect, it } from 'vitest'

import { grantable, mayManage } from './rules'

const ROLES = ['owner', 'admin', 'member', 'viewer'] as const

describe('mayManage', () => {
  it.each([
    ['owner', ['admin', 'member', 'viewer']],
    ['admin', ['member', 'viewer']],
    ['member', []],
    ['viewer', []],
  ] as const)('%s: %j', (actor, targets) => {
    expect(ROLES.filter((target) => mayManage(actor, target))).toEqual(targets)
  })
})

describe('grantable', () => {
  it('never offers a role that the server would refuse', () => {
    expect(ROLES.map((role) => grantable(role).length)).toEqual([3, 2, 0, 0])
  })
})
