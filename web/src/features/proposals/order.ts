/** The order of sections: moving one, and telling whether two people saw the same outline. */

/** The ids with one of them a place further up (-1) or down (1); as they are where there is no such place. */
export function moved(ids: string[], id: string, by: -1 | 1): string[] {
  const from = ids.indexOf(id)
  const to = from + by
  if (from < 0 || to < 0 || to >= ids.length) return ids
  const next = ids.filter((one) => one !== id)
  next.splice(to, 0, id)
  return next
}

export const same = (one: string[], other: string[]): boolean =>
  one.length === other.length && one.every((id, i) => id === other[i])
