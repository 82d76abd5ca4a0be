{{- /* The bits of an address, as text. */ -}}
{{- define "[[ c.name ]].addressBits" -}}
{{- if contains ":" . -}}
  {{- $halves := splitList "::" . -}}
  {{- $before := compact (splitList ":" (first $halves)) -}}
  {{- $after := list -}}
  {{- if gt (len $halves) 1 }}{{ $after = compact (splitList ":" (last $halves)) }}{{ end -}}
  {{- $between := list -}}
  {{- range until (int (sub 8 (add (len $before) (len $after)))) }}{{ $between = append $between "0" }}{{ end -}}
  {{- range concat $before $between $after }}{{ printf "%016b" (int64 (print "0x" .)) }}{{ end -}}
{{- else -}}
  {{- range splitList "." . }}{{ printf "%08b" (int64 .) }}{{ end -}}
{{- end -}}
{{- end }}

{{- /* The reason why the API server rejects the CIDR block `cidr`, or nothing. If `within` is set, `cidr` must be inside that block. */ -}}
{{- define "[[ c.name ]].wrongCidr" -}}
{{- $address := first (splitList "/" .cidr) -}}
{{- $prefix := last (splitList "/" .cidr) -}}
{{- $length := int $prefix -}}
{{- $byte := "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])" -}}
{{- $group := "[0-9a-fA-F]{1,4}" -}}
{{- $ipv4 := printf "^(%[1]s\\.){3}%[1]s$" $byte -}}
{{- $ipv6 := printf "^((%[1]s:){7}%[1]s|(%[1]s(:%[1]s)*)?::(%[1]s(:%[1]s)*)?)$" $group -}}
{{- /* `::` must replace at least one group. */ -}}
{{- $full := and (contains "::" $address) (gt (len (compact (splitList ":" $address))) 7) -}}
{{- $longest := ternary 32 128 (regexMatch $ipv4 $address) -}}
{{- if or $full (not (regexMatch (print $ipv4 "|" $ipv6) $address)) -}}
  has no address before the slash
{{- else if or (gt $length $longest) (not (regexMatch "^(0|[1-9][0-9]*)$" $prefix)) -}}
  has no prefix length from 0 to {{ $longest }}
{{- else -}}
  {{- $bits := include "[[ c.name ]].addressBits" $address -}}
  {{- $size := len $bits -}}
  {{- if hasPrefix (print (repeat 80 "0") (repeat 16 "1")) $bits -}}
    is an IPv4 address in IPv6: write the IPv4 address
  {{- else if contains "1" (substr $length $size $bits) -}}
    has host bits set after the prefix length {{ $length }}: write {{ $address }}/{{ $size }} for this address alone, or the first address of the block
  {{- else if .within -}}
    {{- $whole := include "[[ c.name ]].addressBits" (first (splitList "/" .within)) -}}
    {{- $least := int (last (splitList "/" .within)) -}}
    {{- if not (and (eq $size (len $whole)) (gt $length $least) (hasPrefix (trunc $least $whole) $bits)) -}}
      is not inside the block {{ .within }}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end }}
