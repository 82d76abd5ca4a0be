{{- /* A quantity as a number: 1610612736 for 1.5Gi. */ -}}
{{- define "[[ c.name ]].quantity" -}}
{{- $text := toString . -}}
{{- $unit := regexFind "([mkMGTPE]|[KMGTPE]i)$" $text -}}
{{- $sizes := dict "" 1 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 -}}
{{- range $power, $binary := list "Ki" "Mi" "Gi" "Ti" "Pi" "Ei" -}}
  {{- $size := 1024.0 -}}
  {{- range until $power }}{{ $size = mulf $size 1024 }}{{ end -}}
  {{- $_ := set $sizes $binary $size -}}
{{- end -}}
{{- mulf (trimSuffix $unit $text) (get $sizes $unit) -}}
{{- end }}
