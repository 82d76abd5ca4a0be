{{- /* Requests and limits. Omits those that the values set to null. */ -}}
{{- define "[[ c.name ]].resources" -}}
{{- range $kind, $amounts := .Values.resources }}
{{- $left := dict }}
{{- range $name, $amount := $amounts }}
{{- if not (kindIs "invalid" $amount) }}
{{- /* Helm parses whole numbers as floats; convert them back. */ -}}
{{- $whole := and (kindIs "float64" $amount) (eq (floor $amount) (float64 $amount)) }}
{{- $_ := set $left $name (ternary (int64 $amount) $amount $whole) }}
{{- end }}
{{- end }}
{{- with $left }}
{{ $kind }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
