{{- range $chart, $values := $sections -}}
  {{- $amounts := dict "requests" dict "limits" dict -}}
  {{- range $kind, $all := $values.resources -}}
    {{- range $name, $amount := $all -}}
      {{- if not (kindIs "invalid" $amount) -}}
        {{- $_ := set (get $amounts $kind) $name (include "[[ c.name ]].quantity" $amount | float64) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- $requests := $amounts.requests -}}
  {{- $limits := $amounts.limits -}}
  {{- if not (dig "enabled" true $values) -}}
    {{- $requests = dict -}}
    {{- $limits = dict -}}
  {{- end -}}
  {{- range $name, $request := $requests -}}
    {{- $path := printf "%s.resources.requests.%s" $chart $name -}}
    {{- $is := toString (get $values.resources.requests $name) -}}
    {{- /* CPU, memory and disk can be overcommitted; devices and huge pages cannot. */ -}}
    {{- $shared := has $name (list "cpu" "memory" "ephemeral-storage") -}}
    {{- if not (hasKey $limits $name) -}}
      {{- if not $shared -}}
        {{- $wrong = append $wrong (printf "%s is %s, but limits.%s is not set. Set both to the same amount." $path $is $name) -}}
      {{- end -}}
    {{- else if gt $request (get $limits $name) -}}
      {{- $limit := toString (get $values.resources.limits $name) -}}
      {{- $text := "%s is %s, more than limits.%s, which is %s. Lower the request, or raise the limit." -}}
      {{- $wrong = append $wrong (printf $text $path $is $name $limit) -}}
    {{- else if and (not $shared) (ne $request (get $limits $name)) -}}
      {{- $wrong = append $wrong (printf "%s is %s, but differs from limits.%s. Set both to the same amount." $path $is $name) -}}
    {{- end -}}
  {{- end -}}
  {{- range $kind, $all := dict "requests" $requests "limits" $limits -}}
    {{- range $name, $amount := $all -}}
      {{- $path := printf "%s.resources.%s.%s" $chart $kind $name -}}
      {{- if hasPrefix "requests." $name -}}
        {{- $wrong = append $wrong (printf "%s: a resource name cannot begin with `requests.`. Remove the prefix." $path) -}}
      {{- else if hasPrefix "hugepages-" $name -}}
        {{- $page := trimPrefix "hugepages-" $name -}}
        {{- $whole := int64 $amount -}}
        {{- if or (ne (float64 $whole) $amount) (mod $whole (include "[[ c.name ]].quantity" $page | float64 | int64)) -}}
          {{- $wrong = append $wrong (printf "%s is not a multiple of the page size, %s. Set it to a multiple." $path $page) -}}
        {{- end -}}
        {{- if not (or (hasKey $requests "cpu") (hasKey $requests "memory") (hasKey $limits "cpu") (hasKey $limits "memory")) -}}
          {{- $wrong = append $wrong (printf "%s: huge pages also require cpu or memory. Set a request or limit for one of them." $path) -}}
        {{- end -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
