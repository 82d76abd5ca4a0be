{{- range $rule := $rules -}}
  {{- range $j, $port := $rule.ports -}}
    {{- if and $port.endPort (lt (int $port.endPort) (int $port.port)) -}}
      {{- $wrong = append $wrong (print $rule.path ".ports[" $j "].endPort is less than port. Raise endPort, or remove it.") -}}
    {{- end -}}
  {{- end -}}
  {{- range $j, $peer := $rule.peers -}}
    {{- with $peer.ipBlock -}}
      {{- $block := print $rule.path $rule.list "[" $j "].ipBlock" -}}
      {{- $blocks = append $blocks (dict "path" (print $block ".cidr") "cidr" .cidr) -}}
      {{- $within := .cidr -}}
      {{- range $k, $cidr := .except -}}
        {{- $blocks = append $blocks (dict "path" (print $block ".except[" $k "]") "cidr" $cidr "within" $within) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- range $block := $blocks -}}
  {{- with include "[[ c.name ]].wrongCidr" $block | trim -}}
    {{- $wrong = append $wrong (printf "%s: %s %s." $block.path $block.cidr .) -}}
  {{- end -}}
{{- end -}}
