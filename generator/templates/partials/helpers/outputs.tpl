{{- /* Variables with the secrets of the outputs. */ -}}
{{- define "[[ workload ]].secrets" -}}
{{- $keys := dict[% for (output, key) in secret_keys %] "[[ output ]]" "[[ key ]]"[% endfor %] -}}
{{- $variables := list -}}
{{- range $output, $values := .Values.outputs -}}
  {{- if and $values.endpoint $values.existingSecret -}}
    {{- $source := dict "secretKeyRef" (dict "name" $values.existingSecret "key" (get $keys $output)) -}}
    {{- $variables = append $variables (dict "name" (include "[[ workload ]].variable" $output) "valueFrom" $source) -}}
  {{- end -}}
{{- end -}}
{{- with $variables }}{{ toYaml . }}{{ end -}}
{{- end }}

{{- /* The name of the variable with the secret of an output, such as OUTPUT_[[ example_variable ]]. */ -}}
{{- define "[[ workload ]].variable" -}}
OUTPUT_{{ snakecase . | upper }}
{{- end }}

{{- /* The sources of the volume with the configuration and the authorities of the outputs. */ -}}
{{- define "[[ workload ]].configuration" -}}
- configMap:
    name: {{ .Release.Name }}-[[ workload ]]
{{- range $output, $values := .Values.outputs }}
{{- if and $values.endpoint $values.caConfigMap }}
- configMap:
    name: {{ $values.caConfigMap | quote }}
    items:
      - key: ca.crt
        path: {{ $output }}.crt
{{- end }}
{{- end }}
{{- end }}
