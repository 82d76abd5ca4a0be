{{- /* Labels that never change during the life of a release; safe for selectors and pods. */ -}}
{{- define "[[ c.name ]].selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* Labels of every object. */ -}}
{{- define "[[ c.name ]].labels" -}}
{{ include "[[ c.name ]].selectorLabels" . }}
app.kubernetes.io/part-of: [[ c.name ]]
app.kubernetes.io/version: {{ include "[[ c.name ]].labelValue" .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ include "[[ c.name ]].labelValue" (printf "%s-%s" .Chart.Name .Chart.Version) }}
{{- end }}

{{- /* A version as a label value: at most 63 characters, without the `+` of build metadata. */ -}}
{{- define "[[ c.name ]].labelValue" -}}
{{ regexReplaceAll "[^-A-Za-z0-9_.]" . "_" | trunc 63 | trimAll "-_." }}
{{- end }}
