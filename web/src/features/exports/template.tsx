import { useMutation, useQuery } from '@tanstack/react-query'
import { useRef } from 'react'

import { api, exportTemplateQuery, keys, queryClient } from '@/api'
import { canManage, useOrg } from '@/features/shell/org'
import { Button } from '@/ui/button'
import { ErrorNotice } from '@/ui/feedback'
import { ago } from '@/ui/format'

/** The organisation's own Word template: everyone sees which it is, who manages the organisation changes it. */
export function TemplateSetting() {
  const manages = canManage(useOrg())
  const template = useQuery(exportTemplateQuery())
  const picker = useRef<HTMLInputElement>(null)
  const refresh = () => queryClient.invalidateQueries({ queryKey: keys.exportTemplate() })
  const put = useMutation({ mutationFn: api.putExportTemplate, onSuccess: refresh })
  const remove = useMutation({ mutationFn: api.deleteExportTemplate, onSuccess: refresh })
  if (template.data === undefined || (template.data === null && !manages)) return null
  const { data } = template
  return (
    <section aria-labelledby="word-template" className="relative border-t border-line pt-4">
      <h3 id="word-template" className="font-semibold">
        Word template
      </h3>
      <p className="mt-1 text-[0.93rem] text-ink-3">
        {data
          ? `Word files are made in ${data.name}, added ${ago(data.created_at)}.`
          : 'Word files are made in Bidwright’s template. Yours gives them its styles, page, header and footer.'}
      </p>
      {manages && (
        <div className="mt-2.5 flex flex-wrap gap-2">
          <Button size="sm" busy={put.isPending} onClick={() => picker.current?.click()}>
            {data ? 'Replace' : 'Use our template'}
          </Button>
          {data && (
            <Button size="sm" variant="ghost" busy={remove.isPending} onClick={() => remove.mutate()}>
              Remove
            </Button>
          )}
          <input
            ref={picker}
            type="file"
            accept=".docx,.dotx"
            className="sr-only"
            tabIndex={-1}
            aria-label="File of the Word template"
            onChange={(e) => {
              const file = e.target.files?.[0]
              e.target.value = ''
              if (file) put.mutate(file)
            }}
          />
        </div>
      )}
      {(put.error ?? remove.error) && (
        <div className="mt-2.5">
          <ErrorNotice error={put.error ?? remove.error} />
        </div>
      )}
    </section>
  )
}
