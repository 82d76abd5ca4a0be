// Program read-dashboards decodes Grafana dashboards strictly and describes what they contain.
//
// The arguments are files with one dashboard each. Standard output is a JSON list with one entry per file: what Grafana's own types do
// not accept in it, the panels with their places, and the queries with what Prometheus's parser finds in them.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	query "github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/prometheus/prometheus/promql/parser"
)

// Report describes a file.
type Report struct {
	File      string     `json:"file"`
	Errors    []string   `json:"errors"`
	UID       string     `json:"uid"`
	Title     string     `json:"title"`
	Links     []string   `json:"links"`
	Panels    []Panel    `json:"panels"`
	Variables []Variable `json:"variables"`
}

// Panel is a panel or the heading of a row.
type Panel struct {
	ID          uint32            `json:"id"`
	Type        string            `json:"type"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Grid        dashboard.GridPos `json:"grid"`
	Queries     []Query           `json:"queries"`
}

// Variable is a variable of a dashboard, with the query that finds its values.
type Variable struct {
	Name  string `json:"name"`
	Query *Query `json:"query"`
	// Label is the label whose values are the choices.
	Label string `json:"label"`
}

// Query is what a query contains.
type Query struct {
	Expr      string     `json:"expr"`
	Legend    string     `json:"legend"`
	Selectors []Selector `json:"selectors"`
	// Groupings are the labels that the query groups or joins by, with the metrics below them.
	Groupings []Grouping `json:"groupings"`
	// Labels are those of the result; nil if it has all labels of its series.
	Labels []string `json:"labels"`
}

// Selector is a selector of series.
type Selector struct {
	Metric   string            `json:"metric"`
	Equal    map[string]string `json:"equal"`
	Matchers []string          `json:"matchers"`
	// Function is the function that is applied to the samples of a range.
	Function string `json:"function"`
	// Range is "$__rate_interval" or a duration; empty for an instant.
	Range string `json:"range"`
}

// Grouping is a list of labels, and the metrics that they are labels of.
type Grouping struct {
	Labels  []string `json:"labels"`
	Metrics []string `json:"metrics"`
}

// rateInterval stands for Grafana's $__rate_interval while Prometheus's parser reads a query: no other range has this length.
const rateInterval = 4*time.Minute + 37*time.Second

var (
	reference    = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)(:[a-z]+)?\}?`)
	labelValues  = regexp.MustCompile(`^label_values\((.*), *([A-Za-z_][A-Za-z0-9_]*)\)$`)
	ofPrometheus = parser.NewParser(parser.Options{})
)

func main() {
	plugins.RegisterDefaultPlugins()
	reports := []Report{}
	for _, file := range os.Args[1:] {
		report := Report{File: file, Errors: []string{}, Links: []string{}, Panels: []Panel{}, Variables: []Variable{}}
		if raw, err := os.ReadFile(file); err != nil {
			report.fail("", err)
		} else {
			report.read(raw)
		}
		reports = append(reports, report)
	}
	if err := json.NewEncoder(os.Stdout).Encode(reports); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (r *Report) fail(where string, err error) {
	if where != "" {
		where += ": "
	}
	r.Errors = append(r.Errors, where+err.Error())
}

// reject notes what the library reports, and whether it reports anything: where all is well, it can return an empty list that is not nil.
func (r *Report) reject(where string, err error) bool {
	var found cog.BuildErrors
	if err == nil || errors.As(err, &found) && len(found) == 0 {
		return false
	}
	r.fail(where, err)
	return true
}

func (r *Report) read(raw []byte) {
	// The strict decoder reports what is wrong, but drops panels and queries even where nothing is: the second one reads them.
	if r.reject("", new(dashboard.Dashboard).UnmarshalJSONStrict(raw)) {
		return
	}
	var decoded dashboard.Dashboard
	// The strict decoder decodes these parts of a panel leniently.
	var parts struct {
		Panels []struct {
			FieldConfig json.RawMessage   `json:"fieldConfig"`
			Targets     []json.RawMessage `json:"targets"`
		} `json:"panels"`
	}
	if err := errors.Join(json.Unmarshal(raw, &decoded), json.Unmarshal(raw, &parts)); err != nil {
		r.fail("", err)
		return
	}
	r.reject("", decoded.Validate())
	r.UID, r.Title = text(decoded.Uid), text(decoded.Title)
	r.links(decoded.Links)
	names := []string{"__rate_interval"}
	for _, variable := range decoded.Templating.List {
		names = append(names, variable.Name)
	}
	source := chosenSource(decoded.Templating.List)
	for _, variable := range decoded.Templating.List {
		if variable.Type == dashboard.VariableTypeQuery {
			r.source("the variable "+variable.Name, variable.Datasource, source)
		}
		r.Variables = append(r.Variables, r.variable(variable, names))
	}
	for index, item := range decoded.Panels {
		where := fmt.Sprintf("panels[%d]", index)
		if raw := parts.Panels[index].FieldConfig; raw != nil {
			r.reject(where+".fieldConfig", new(dashboard.FieldConfigSource).UnmarshalJSONStrict(raw))
		}
		for position, raw := range parts.Panels[index].Targets {
			r.reject(fmt.Sprintf("%s.targets[%d]", where, position), new(query.Dataquery).UnmarshalJSONStrict(raw))
		}
		switch {
		case item.RowPanel != nil:
			r.row(*item.RowPanel, where)
		case item.Panel != nil:
			if len(item.Panel.Targets) > 0 {
				r.source(where, item.Panel.Datasource, source)
			}
			r.panel(*item.Panel, where, names)
		default:
			r.fail(where, errors.New("is neither a panel nor a row"))
		}
	}
}

// chosenSource is the reference to the variable that selects a Prometheus; empty without one.
func chosenSource(variables []dashboard.VariableModel) string {
	for _, variable := range variables {
		if variable.Type == dashboard.VariableTypeDatasource && variable.Query != nil && text(variable.Query.String) == "prometheus" {
			return "${" + variable.Name + "}"
		}
	}
	return ""
}

// source checks that queries go to the Prometheus that the reader has chosen.
func (r *Report) source(where string, found *common.DataSourceRef, chosen string) {
	if found == nil || text(found.Type) != "prometheus" || text(found.Uid) != chosen {
		r.fail(where, errors.New("the data source is not the Prometheus that a variable selects"))
	}
}

// row reads the heading of an open row, whose panels follow it.
func (r *Report) row(row dashboard.RowPanel, where string) {
	if row.GridPos == nil {
		r.fail(where, errors.New("has no place on the grid"))
		return
	}
	if len(row.Panels) > 0 || row.Collapsed {
		r.fail(where, errors.New("is a collapsed row: its panels would not be read"))
	}
	r.Panels = append(r.Panels, Panel{ID: row.Id, Type: row.Type, Title: text(row.Title), Grid: *row.GridPos, Queries: []Query{}})
}

func (r *Report) panel(panel dashboard.Panel, where string, names []string) {
	if _, known := cog.ConfigForPanelcfgVariant(panel.Type); !known {
		r.fail(where, fmt.Errorf("the type %q is unknown", panel.Type))
	}
	if panel.Id == nil || panel.GridPos == nil {
		r.fail(where, errors.New("has no number or no place on the grid"))
		return
	}
	r.links(panel.Links)
	read := Panel{
		ID: *panel.Id, Type: panel.Type, Title: text(panel.Title), Description: text(panel.Description),
		Grid: *panel.GridPos, Queries: []Query{},
	}
	for position, target := range panel.Targets {
		where := fmt.Sprintf("%s.targets[%d]", where, position)
		var found *query.Dataquery
		switch target := target.(type) {
		case *query.Dataquery:
			found = target
		case query.Dataquery:
			found = &target
		default:
			r.fail(where, errors.New("is no query of Prometheus"))
			continue
		}
		if parsed, err := parse(found.Expr, names); err != nil {
			r.fail(where, fmt.Errorf("%w in %s", err, found.Expr))
		} else {
			parsed.Legend = text(found.LegendFormat)
			read.Queries = append(read.Queries, parsed)
		}
	}
	r.Panels = append(r.Panels, read)
}

func (r *Report) links(links []dashboard.DashboardLink) {
	for _, link := range links {
		if link.Url != nil {
			r.Links = append(r.Links, *link.Url)
		}
	}
}

func (r *Report) variable(variable dashboard.VariableModel, names []string) Variable {
	read := Variable{Name: variable.Name}
	if variable.Type != dashboard.VariableTypeQuery {
		return read
	}
	where := "the variable " + variable.Name
	if variable.Query == nil || variable.Query.String == nil {
		r.fail(where, errors.New("has no query"))
		return read
	}
	parts := labelValues.FindStringSubmatch(*variable.Query.String)
	if parts == nil {
		r.fail(where, fmt.Errorf("the query is not label_values(<series>, <label>): %s", *variable.Query.String))
		return read
	}
	parsed, err := parse(parts[1], names)
	if err != nil {
		r.fail(where, fmt.Errorf("%w in %s", err, parts[1]))
		return read
	}
	read.Query, read.Label = &parsed, parts[2]
	return read
}

// parse reads a query after it has put values in the place of Grafana's variables, of which these exist.
func parse(expr string, names []string) (Query, error) {
	var unknown error
	substituted := reference.ReplaceAllStringFunc(expr, func(found string) string {
		name := reference.FindStringSubmatch(found)[1]
		switch {
		case name == "__rate_interval":
			return rateInterval.String()
		case slices.Contains(names, name):
			return "value-of-" + name
		}
		unknown = fmt.Errorf("the variable %s is unknown", found)
		return found
	})
	if unknown != nil {
		return Query{}, unknown
	}
	parsed, err := ofPrometheus.ParseExpr(substituted)
	if err != nil {
		return Query{}, err
	}
	read := Query{Expr: expr, Selectors: []Selector{}, Groupings: []Grouping{}, Labels: result(parsed)}
	parser.Inspect(parsed, func(node parser.Node, path []parser.Node) error {
		switch node := node.(type) {
		case *parser.VectorSelector:
			read.Selectors = append(read.Selectors, selector(node, path))
		case *parser.AggregateExpr:
			read.Groupings = append(read.Groupings, Grouping{Labels: append([]string{}, node.Grouping...), Metrics: metrics(node)})
		case *parser.BinaryExpr:
			if node.VectorMatching != nil && len(node.VectorMatching.MatchingLabels) > 0 {
				read.Groupings = append(read.Groupings, Grouping{Labels: node.VectorMatching.MatchingLabels, Metrics: metrics(node)})
			}
		}
		return nil
	})
	return read, nil
}

func selector(node *parser.VectorSelector, path []parser.Node) Selector {
	read := Selector{Metric: node.Name, Equal: map[string]string{}, Matchers: []string{}}
	for _, matcher := range node.LabelMatchers {
		if matcher.Name == "__name__" {
			continue
		}
		read.Matchers = append(read.Matchers, matcher.Name)
		if matcher.Type.String() == "=" {
			read.Equal[matcher.Name] = strings.ReplaceAll(matcher.Value, "value-of-", "$")
		}
	}
	for _, above := range path {
		switch above := above.(type) {
		case *parser.MatrixSelector:
			read.Range = above.Range.String()
			if above.Range == rateInterval {
				read.Range = "$__rate_interval"
			}
		case *parser.SubqueryExpr:
			read.Range = above.Range.String()
		case *parser.Call:
			read.Function = above.Func.Name
		}
	}
	return read
}

// metrics lists the metrics below a node.
func metrics(node parser.Node) []string {
	found := []string{}
	parser.Inspect(node, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok && !slices.Contains(found, selector.Name) {
			found = append(found, selector.Name)
		}
		return nil
	})
	return found
}

// result lists the labels of the result of an expression; nil if it has all labels of its series.
func result(expr parser.Expr) []string {
	switch expr := expr.(type) {
	case *parser.AggregateExpr:
		switch {
		case expr.Op == parser.TOPK || expr.Op == parser.BOTTOMK:
			return result(expr.Expr)
		case expr.Without:
			return nil
		}
		return append([]string{}, expr.Grouping...)
	case *parser.Call:
		for _, argument := range expr.Args {
			if argument.Type() == parser.ValueTypeVector || argument.Type() == parser.ValueTypeMatrix {
				labels := result(argument)
				if expr.Func.Name == "histogram_quantile" && labels != nil {
					labels = slices.DeleteFunc(labels, func(label string) bool { return label == "le" })
				}
				return labels
			}
		}
		return []string{}
	case *parser.BinaryExpr:
		if expr.LHS.Type() == parser.ValueTypeScalar {
			return result(expr.RHS)
		}
		return result(expr.LHS)
	case *parser.ParenExpr:
		return result(expr.Expr)
	case *parser.UnaryExpr:
		return result(expr.Expr)
	case *parser.NumberLiteral:
		return []string{}
	default:
		return nil
	}
}

func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}
