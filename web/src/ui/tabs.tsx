import { Tabs as Base } from '@base-ui/react/tabs'
import type { ReactNode } from 'react'

export interface Tab<T extends string> {
  value: T
  label: ReactNode
  content: ReactNode
}

export function Tabs<T extends string>({
  value,
  onChange,
  tabs,
  label,
}: {
  value: T
  onChange: (value: T) => void
  tabs: Tab<T>[]
  label: string
}) {
  return (
    <Base.Root value={value} onValueChange={(next: T) => onChange(next)} className="flex min-h-0 flex-1 flex-col">
      <Base.List aria-label={label} className="flex gap-1 border-b border-line px-3">
        {tabs.map((tab) => (
          <Base.Tab
            key={tab.value}
            value={tab.value}
            className="-mb-px inline-flex items-center gap-1.5 border-b-2 border-transparent px-2.5 py-2.5 font-medium text-ink-3 hover:text-ink data-active:border-accent data-active:text-ink [&_svg]:size-4"
          >
            {tab.label}
          </Base.Tab>
        ))}
      </Base.List>
      {tabs.map((tab) => (
        <Base.Panel key={tab.value} value={tab.value} className="min-h-0 flex-1 overflow-y-auto p-4 -outline-offset-2">
          {tab.content}
        </Base.Panel>
      ))}
    </Base.Root>
  )
}
