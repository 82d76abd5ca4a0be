// A program that runs `helm template` and `helm lint` of Helm 4 many times in one process. Helm needs a tenth of a second for its start alone.
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

	"github.com/spf13/pflag"
	helmcmd "helm.sh/helm/v4/pkg/cmd"
	"helm.sh/helm/v4/pkg/kube"
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
	// What Helm's own main function sets.
	kube.ManagedFieldsManager = "helm"
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
func run(args []string, messages *messages) ([]byte, error) {
	if len(args) == 0 || args[0] != "template" && args[0] != "lint" {
		return nil, errors.New("a request is neither for `helm template` nor for `helm lint`")
	}
	var output bytes.Buffer
	cmd, err := helmcmd.NewRootCmd(&output, args, helmcmd.SetupLogging)
	if err != nil {
		return nil, err
	}
	// Helm keeps these flags in variables of the program, so the next command would have them too.
	var kept error
	cmd.PersistentFlags().Visit(func(flag *pflag.Flag) {
		kept = fmt.Errorf("a request has the flag --%s, which would also hold for the requests after it", flag.Name)
	})
	if kept != nil {
		return nil, kept
	}
	cmd.SetArgs(args)
	cmd.SetOut(&output)
	cmd.SetErr(messages.file)
	err = cmd.Execute()
	if err != nil && args[0] == "lint" {
		return output.Bytes(), errRefused
	}
	if err != nil {
		return nil, errRefused
	}
	return output.Bytes(), nil
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
