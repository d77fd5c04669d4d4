import { Toast } from '@base-ui/react/toast'
import { X } from 'lucide-react'
import type { ReactNode } from 'react'

import { explain } from '@/api/messages'

import { buttonClass } from './button'
import { cx } from './cx'

const manager = Toast.createToastManager()

interface ToastOptions {
  title: string
  description?: string
  action?: { label: string; onClick: () => void }
  timeout?: number
}

export const toast = {
  show: ({ title, description, action, timeout }: ToastOptions, type = 'info'): string =>
    manager.add({
      title,
      description,
      type,
      timeout: timeout ?? (type === 'error' ? 9000 : 5000),
      priority: type === 'error' ? 'high' : 'low',
      actionProps: action ? { children: action.label, onClick: action.onClick } : undefined,
    }),
  error: (error: unknown): string => {
    const { title, hint } = explain(error)
    return toast.show({ title, description: hint }, 'error')
  },
  close: (id: string): void => manager.close(id),
}

export function Toasts({ children }: { children: ReactNode }) {
  return (
    <Toast.Provider toastManager={manager} limit={4}>
      {children}
      <Toast.Portal>
        {/* Out of the way of what is being read or typed: over the bar of a small screen, in the corner of a big one. */}
        <Toast.Viewport className="fixed inset-x-3 top-2 z-20 mx-auto flex max-w-sm flex-col gap-2 outline-none lg:inset-x-auto lg:top-auto lg:bottom-3 lg:left-3 lg:w-61">
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}

function List() {
  const { toasts } = Toast.useToastManager()
  return toasts.map((item) => (
    <Toast.Root
      key={item.id}
      toast={item}
      className={cx(
        'rounded-xl border border-line border-l-4 bg-surface shadow-pop transition-all duration-200 data-ending-style:translate-y-2 data-ending-style:opacity-0 data-limited:hidden data-starting-style:translate-y-2 data-starting-style:opacity-0',
        item.type === 'error' ? 'border-l-danger' : 'border-l-accent',
      )}
    >
      <Toast.Content className="flex items-start gap-3 p-3.5">
        <div className="min-w-0 flex-1">
          <Toast.Title className="font-semibold" />
          <Toast.Description className="mt-0.5 text-[0.93rem] text-ink-2" />
          {item.actionProps && <Toast.Action className={buttonClass('secondary', 'sm', 'mt-2.5')} />}
        </div>
        <Toast.Close
          aria-label="Dismiss"
          className="inline-flex size-7 items-center justify-center rounded-lg text-ink-3 hover:bg-sunken hover:text-ink"
        >
          <X className="size-4" aria-hidden />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ))
}
