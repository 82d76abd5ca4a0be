// Program read-releases decodes Flux's HelmReleases strictly.
//
// The arguments are files with one object each. Standard output is a JSON object: for each file that Flux's own types do not accept, the
// reason, such as an unknown field.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	helm "github.com/fluxcd/helm-controller/api/v2"
	"sigs.k8s.io/yaml"
)

func main() {
	wrong := map[string]string{}
	for _, file := range os.Args[1:] {
		text, err := os.ReadFile(file)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		var release helm.HelmRelease
		if err := yaml.UnmarshalStrict(text, &release); err != nil {
			wrong[file] = err.Error()
		} else if release.APIVersion != helm.GroupVersion.String() || release.Kind != helm.HelmReleaseKind {
			wrong[file] = fmt.Sprintf("it is a %s %s, not a %s %s", release.APIVersion, release.Kind, helm.GroupVersion, helm.HelmReleaseKind)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(wrong); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
