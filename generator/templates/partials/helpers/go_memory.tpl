{{- /* The limit of Go's memory: four fifths of the container's, in bytes; none if it has no limit. */ -}}
{{- define "[[ c.name ]].goMemory" -}}
{{- with .Values.resources.limits.memory -}}
{{ mulf (include "[[ c.name ]].quantity" . | float64) 0.8 | int64 }}
{{- else -}}
off
{{- end -}}
{{- end }}
