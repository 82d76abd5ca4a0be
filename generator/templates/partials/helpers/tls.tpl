{{- /* The authority of an output's certificate. */ -}}
{{- define "[[ workload ]].tls" -}}
{{- if .values.caConfigMap -}}
tls:
  ca_file: /etc/otelcol/{{ .output }}.crt
{{- end -}}
{{- end }}
