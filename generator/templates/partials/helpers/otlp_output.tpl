    {{- with include "[[ workload ]].tls" (dict "output" "otlp" "values" .) }}{{ . | nindent 4 }}{{ end }}
    {{- if or .headers .existingSecret }}
    headers:
      {{- range $name, $value := .headers }}
      {{ $name | quote }}: {{ $value | replace "$" "$$" | quote }}
      {{- end }}
      {{- if .existingSecret }}
      Authorization: ${env:{{ include "[[ workload ]].variable" "otlp" }}}
      {{- end }}
    {{- end }}
    {{- include "[[ workload ]].queue" $ | nindent 4 }}
