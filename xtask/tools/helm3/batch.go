// A program that runs `helm template` and `helm lint` of Helm 3 many times in one process. Helm needs a tenth of a second for its start alone.
//
// It reads one request per line from standard input: a JSON list with the arguments of one of these commands. It answers each one on standard
// output, before it reads the next: a line with `ok` or `error` and a number of bytes, then as many bytes. They are what the command would write to
// standard output, or, if it fails, to standard error; `lint` says on both what is wrong. The program ends when its standard input ends.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/cli/values"
	"helm.sh/helm/v3/pkg/getter"
	"helm.sh/helm/v3/pkg/release"
)

func main() {
	// Helm's messages become answers; those of this program stay on standard error.
	answers, failures := os.Stdout, os.Stderr
	if err := serve(os.Stdin, answers); err != nil {
		fmt.Fprintln(failures, "helm-batch:", err)
		os.Exit(1)
	}
}

func serve(requests io.Reader, answers io.Writer) error {
	if len(os.Args) > 1 {
		return errors.New("it takes no arguments: requests come from standard input")
	}
	messages, err := newMessages()
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(requests)
	writer := bufio.NewWriter(answers)
	for {
		var args []string
		if err := decoder.Decode(&args); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("cannot read a request: %w", err)
		}
		output, failure := run(args, messages)
		if failure != nil && !errors.Is(failure, errRefused) {
			return failure
		}
		word := "ok"
		said := messages.take()
		if failure != nil {
			word = "error"
		}
		if failure != nil || args[0] == "lint" {
			output = append(output, said...)
		}
		fmt.Fprintf(writer, "%s %d\n", word, len(output))
		writer.Write(output)
		if err := writer.Flush(); err != nil {
			return fmt.Errorf("cannot write an answer: %w", err)
		}
	}
}

// errRefused means that the command failed, and that its messages say why.
var errRefused = errors.New("helm failed")

// run returns the output of one command.
//
// Helm 3 has its commands in a main package, which no program can import. So this function makes the same calls as Helm's commands for a chart in a folder or an archive. The Rust tests and the steps `lint` and `template` of `verify` compare it with Helm itself.
func run(args []string, messages *messages) ([]byte, error) {
	request, err := parse(args)
	if err != nil {
		return nil, err
	}
	if request.name == "" {
		return request.lint(messages)
	}
	rendered, err := request.render()
	if err != nil {
		if rendered != nil {
			err = fmt.Errorf("%w\n\nUse --debug flag to render out invalid YAML", err)
		}
		fmt.Fprintln(messages.file, "Error:", err)
		return nil, errRefused
	}
	var output bytes.Buffer
	fmt.Fprintln(&output, strings.TrimSpace(rendered.Manifest))
	for _, hook := range rendered.Hooks {
		fmt.Fprintf(&output, "---\n# Source: %s\n%s\n", hook.Path, hook.Manifest)
	}
	return output.Bytes(), nil
}

// request is a `helm template` command, or with an empty name a `helm lint` command.
type request struct {
	name, chart string
	isStrict    bool
	values      values.Options
	kubeVersion string
	apiVersions []string
	isUpgrade   bool
}

// parse reads the flags that a request can have, with the names and types that Helm gives them.
func parse(args []string) (*request, error) {
	var made request
	flags := pflag.NewFlagSet("helm", pflag.ContinueOnError)
	flags.BoolVar(&made.isStrict, "strict", false, "")
	flags.StringSliceVarP(&made.values.ValueFiles, "values", "f", nil, "")
	flags.StringArrayVar(&made.values.Values, "set", nil, "")
	flags.StringArrayVar(&made.values.StringValues, "set-string", nil, "")
	flags.StringArrayVar(&made.values.FileValues, "set-file", nil, "")
	flags.StringArrayVar(&made.values.JSONValues, "set-json", nil, "")
	flags.StringArrayVar(&made.values.LiteralValues, "set-literal", nil, "")
	flags.StringVar(&made.kubeVersion, "kube-version", "", "")
	flags.StringSliceVarP(&made.apiVersions, "api-versions", "a", nil, "")
	flags.BoolVar(&made.isUpgrade, "is-upgrade", false, "")
	// A wrong request is a mistake of the caller, not a refusal by Helm.
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	words := flags.Args()
	switch {
	case len(words) == 3 && words[0] == "template":
		made.name, made.chart = words[1], words[2]
	case len(words) == 2 && words[0] == "lint":
		made.chart = words[1]
	default:
		return nil, errors.New("a request is neither for `helm template NAME CHART` nor for `helm lint CHART`")
	}
	return &made, nil
}

// lint examines the chart, and returns what Helm prints about it.
func (r *request) lint(messages *messages) ([]byte, error) {
	settings := cli.New()
	client := action.NewLint()
	client.Strict = r.isStrict
	client.Namespace = settings.Namespace()
	merged, err := r.values.MergeValues(getter.All(settings))
	if err != nil {
		fmt.Fprintln(messages.file, "Error:", err)
		return nil, errRefused
	}
	result := client.Run([]string{r.chart}, merged)
	var output bytes.Buffer
	fmt.Fprintf(&output, "==> Linting %s\n", r.chart)
	for _, message := range result.Messages {
		fmt.Fprintln(&output, message)
	}
	if len(result.Messages) == 0 {
		for _, err := range result.Errors {
			fmt.Fprintln(&output, "Error", err)
		}
	}
	failed := min(len(result.Errors), 1)
	summary := fmt.Sprintf("1 chart(s) linted, %d chart(s) failed", failed)
	fmt.Fprintln(&output)
	if failed > 0 {
		fmt.Fprintln(messages.file, "Error:", summary)
		return output.Bytes(), errRefused
	}
	fmt.Fprintln(&output, summary)
	return output.Bytes(), nil
}

func (r *request) render() (*release.Release, error) {
	settings := cli.New()
	client := action.NewInstall(&action.Configuration{Log: func(string, ...interface{}) {}})
	if r.kubeVersion != "" {
		version, err := chartutil.ParseKubeVersion(r.kubeVersion)
		if err != nil {
			return nil, fmt.Errorf("invalid kube version '%s': %s", r.kubeVersion, err)
		}
		client.KubeVersion = version
	}
	client.DryRunOption = "true"
	client.DryRun = true
	client.ReleaseName = r.name
	client.Replace = true
	client.ClientOnly = true
	client.APIVersions = chartutil.VersionSet(r.apiVersions)
	client.IsUpgrade = r.isUpgrade
	client.Namespace = settings.Namespace()

	path, err := client.ChartPathOptions.LocateChart(r.chart, settings)
	if err != nil {
		return nil, err
	}
	merged, err := r.values.MergeValues(getter.All(settings))
	if err != nil {
		return nil, err
	}
	chart, err := loader.Load(path)
	if err != nil {
		return nil, err
	}
	if kind := chart.Metadata.Type; kind != "" && kind != "application" {
		return nil, fmt.Errorf("%s charts are not installable", kind)
	}
	if needed := chart.Metadata.Dependencies; needed != nil {
		if err := action.CheckDependencies(chart, needed); err != nil {
			return nil, fmt.Errorf("An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies: %w", err)
		}
	}
	return client.Run(chart, merged)
}

// messages collects what Helm writes to standard error: by its logger, by the standard logger, and to the file itself.
type messages struct {
	file *os.File
}

func newMessages() (*messages, error) {
	file, err := os.CreateTemp("", "helm-batch-")
	if err != nil {
		return nil, err
	}
	// The open file stays usable, and leaves nothing behind.
	os.Remove(file.Name())
	os.Stdout, os.Stderr = file, file
	log.SetOutput(file)
	// As Helm does.
	log.SetFlags(log.Lshortfile)
	return &messages{file}, nil
}

// take returns the messages since the last call.
func (m *messages) take() []byte {
	m.file.Seek(0, io.SeekStart)
	all, _ := io.ReadAll(m.file)
	m.file.Truncate(0)
	m.file.Seek(0, io.SeekStart)
	return all
}
