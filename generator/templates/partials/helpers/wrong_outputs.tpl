{{- range $output, $values := .Values.outputs -}}
  {{- if $values.endpoint -}}
    {{- $endpoints = append $endpoints $output -}}
  {{- else -}}
    {{- range $key, $value := omit $values "endpoint" -}}
      {{- if $value -}}
        {{- $text := "outputs.%[1]s.%[2]s is set, but outputs.%[1]s.endpoint is not. Set the endpoint to the address of the output, or remove %[2]s." -}}
        {{- $wrong = append $wrong (printf $text $output $key) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- range $name, $value := .Values.outputs.otlp.headers -}}
  {{- if eq (lower $name) "authorization" -}}
    {{- $text := "outputs.otlp.headers.%s is visible to all who may read ConfigMaps. Put its value under the key authorization of a Secret, and name the Secret in outputs.otlp.existingSecret." -}}
    {{- $wrong = append $wrong (printf $text $name) -}}
  {{- end -}}
{{- end -}}
