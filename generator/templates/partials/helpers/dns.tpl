    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: {{ .Values.network.dnsNamespace | quote }}
          podSelector:
            matchLabels:
              k8s-app: kube-dns
        # NodeLocal DNSCache runs on the host network, which no pod selector matches.
        - ipBlock:
            cidr: 169.254.20.10/32
      ports:
        - port: 53
          protocol: UDP
        - port: 53
          protocol: TCP
