//! From the rows of a page to a dashboard in Grafana's schema.

use serde_json::{Map, Value, json};

use super::layout::{self, Placed};
use super::schema::{
    Annotations, Choice, Dashboard, DataSource, Defaults, FieldConfig, Heading, Item, Legend, LineStyle, Link, Mapping,
    Options, Reduce, Stat, Table, Target, Templating, Text, Threshold, Thresholds, Time, TimeSeries, Tooltip,
    Transformation, Variable,
};
use super::{Page, Variables};
use crate::dashboard::{DATASOURCE, NAMESPACE, Panel, Query, RELEASE, Row, States, Unit, View};

/// The source of data that the variable selects.
const PROMETHEUS: DataSource = DataSource { kind: "prometheus", uid: "${datasource}" };

/// The text of a dashboard's file.
pub(super) fn text(page: Page, variables: &Variables) -> String {
    match serde_json::to_value(dashboard(page, variables)).expect("the schema has string keys only") {
        Value::Object(dashboard) => crate::json::write_lines(&dashboard),
        _ => unreachable!("a dashboard is an object"),
    }
}

fn dashboard(page: Page, variables: &Variables) -> Dashboard {
    Dashboard {
        uid: page.uid,
        title: page.title,
        description: page.description,
        tags: page.tags,
        timezone: "browser",
        editable: false,
        graph_tooltip: 1,
        time: Time { from: "now-3h", to: "now" },
        refresh: "1m",
        schema_version: 39,
        templating: Templating { list: variable_list(variables) },
        annotations: Annotations { list: [] },
        links: page
            .overview
            .map(|uid| page_link("Overview".to_owned(), &uid))
            .into_iter()
            .chain([menu(variables)])
            .collect(),
        panels: items(page.rows, variables),
    }
}

fn variable_list(variables: &Variables) -> Vec<Variable> {
    let services = &variables.components;
    let up = |namespace: &str| format!("up{{{namespace}app_kubernetes_io_name=~\"{services}\"}}");
    let of_data = Variable {
        kind: "datasource",
        name: DATASOURCE,
        label: "Data source",
        description: "The Prometheus that scrapes the release.",
        datasource: None,
        query: PROMETHEUS.kind.to_owned(),
        current: None,
        refresh: 1,
        sort: None,
        multi: false,
        include_all: false,
    };
    let of_series = |name, label, description, query, default: &str| Variable {
        kind: "query",
        name,
        label,
        description,
        datasource: Some(PROMETHEUS),
        query,
        current: Some(Choice { text: default.to_owned(), value: default.to_owned() }),
        refresh: 2,
        sort: Some(1),
        multi: false,
        include_all: false,
    };
    let in_namespace = up(&format!("namespace=\"${NAMESPACE}\","));
    vec![
        of_data,
        of_series(
            NAMESPACE,
            "Namespace",
            "The namespace of the release.",
            format!("label_values({}, namespace)", up("")),
            variables.namespace,
        ),
        of_series(
            RELEASE,
            "Release",
            "The name of the release.",
            format!("label_values({in_namespace}, app_kubernetes_io_instance)"),
            variables.release,
        ),
    ]
}

/// A link above the panels, which keeps the choices and the time of the page.
fn page_link(title: String, uid: &str) -> Link {
    Link {
        tooltip: format!("Opens {title}"),
        title,
        kind: "link",
        icon: "dashboard",
        url: Some(format!("/d/{uid}")),
        tags: Vec::new(),
        as_dropdown: false,
        target_blank: false,
        include_vars: true,
        keep_time: true,
    }
}

/// A menu of all dashboards of the platform, which Grafana finds by their tag.
fn menu(variables: &Variables) -> Link {
    let title = format!("Dashboards of {}", variables.platform);
    let tags = vec![variables.platform.to_owned()];
    Link { kind: "dashboards", url: None, tags, as_dropdown: true, ..page_link(title, "") }
}

/// A link of a panel. Grafana adds choices and time to such a link only where its address asks for them.
fn panel_link(component: &str, uid: &str) -> Link {
    let link = page_link(component.to_owned(), uid);
    Link { url: link.url.map(|url| url + "?${__all_variables}&${__url_time_range}"), ..link }
}

fn items(rows: Vec<Row>, variables: &Variables) -> Vec<Item> {
    let mut id = 0;
    let mut next = || {
        id += 1;
        id
    };
    let mut items = Vec::new();
    for Placed { title, heading, panels } in layout::place(rows) {
        let heading = Heading { id: next(), kind: "row", title, collapsed: false, grid_pos: heading, panels: [] };
        items.push(Item::Heading(heading));
        items.extend(panels.into_iter().map(|(grid_pos, panel)| {
            let link = panel.page.map(|component| panel_link(component, &variables.uid(component)));
            let data = data(&panel);
            Item::Panel(Box::new(super::schema::Panel {
                id: next(),
                kind: data.kind,
                grid_pos,
                datasource: (!panel.queries.is_empty()).then_some(PROMETHEUS),
                targets: targets(&panel),
                links: link.into_iter().collect(),
                transformations: data.transformations,
                field_config: data.field_config,
                options: data.options,
                title: panel.title,
                description: panel.description,
            }))
        }));
    }
    items
}

fn targets(panel: &Panel) -> Vec<Target> {
    // Over a time range, the last value of a series that has ended would still be shown.
    let instant = !matches!(panel.view, View::Lines { .. });
    let is_table = matches!(panel.view, View::Table { .. });
    let target = |(position, query): (usize, &Query)| Target {
        ref_id: ref_id(position),
        expr: query.expr.clone(),
        legend_format: query.legend.clone(),
        instant,
        range: !instant,
        format: if is_table { "table" } else { "time_series" },
        editor_mode: "code",
    };
    panel.queries.iter().enumerate().map(target).collect()
}

/// `A` to `Z`, then `AA` and so on, as Grafana names queries.
fn ref_id(position: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(position % 26).expect("a letter"));
    let before = if position < 26 { String::new() } else { ref_id(position / 26 - 1) };
    format!("{before}{letter}")
}

/// What follows from the view of a panel.
struct Data {
    kind: &'static str,
    transformations: Vec<Transformation>,
    field_config: Option<FieldConfig>,
    options: Options,
}

fn data(panel: &Panel) -> Data {
    match &panel.view {
        View::Lines { unit } => Data {
            kind: "timeseries",
            transformations: Vec::new(),
            field_config: Some(lines(*unit)),
            options: Options::TimeSeries(TimeSeries {
                legend: Legend { display_mode: "list", placement: "bottom", is_shown: true, calcs: &[] },
                tooltip: Tooltip { mode: "multi", sort: "desc" },
            }),
        },
        View::Stat { unit, states, no_value } => Data {
            kind: "stat",
            transformations: Vec::new(),
            field_config: Some(stat(*unit, *states, no_value)),
            options: Options::Stat(Stat {
                graph_mode: "none",
                color_mode: if *states == States::Plain { "none" } else { "background" },
                justify_mode: "auto",
                text_mode: "auto",
                orientation: "auto",
                wide_layout: true,
                show_percent_change: false,
                percent_change_color_mode: "standard",
                reduce_options: Reduce { values: false, calcs: ["lastNotNull"], fields: "" },
            }),
        },
        View::Table { hidden } => {
            let hidden: Map<String, Value> = hidden.iter().map(|label| ((*label).to_owned(), json!(true))).collect();
            Data {
                kind: "table",
                transformations: vec![Transformation {
                    id: "organize",
                    options: json!({"excludeByName": hidden, "indexByName": {}, "renameByName": {}}),
                }],
                field_config: None,
                options: Options::Table(Table { frame_index: 0, show_header: true, cell_height: "sm" }),
            }
        }
        View::Text(markdown) => Data {
            kind: "text",
            transformations: Vec::new(),
            field_config: None,
            options: Options::Text(Text { mode: "markdown", content: markdown.clone() }),
        },
    }
}

fn lines(unit: Unit) -> FieldConfig {
    let custom = LineStyle { fill_opacity: 10, show_points: "never" };
    FieldConfig {
        defaults: Defaults {
            unit: Some(unit.as_str()),
            min: unit.is_never_negative().then_some(0),
            no_value: None,
            mappings: Vec::new(),
            thresholds: None,
            custom: Some(custom),
        },
        overrides: [],
    }
}

const RED: &str = "red";
const GREEN: &str = "green";

fn stat(unit: Unit, states: States, no_value: &'static str) -> FieldConfig {
    let colors = |first, from_one| Thresholds {
        mode: "absolute",
        steps: vec![Threshold { value: None, color: first }, Threshold { value: Some(1), color: from_one }],
    };
    let (thresholds, mappings) = match states {
        States::Plain => (None, Vec::new()),
        States::SomeIsGood => (Some(colors(RED, GREEN)), Vec::new()),
        States::NoneIsGood => (Some(colors(GREEN, RED)), Vec::new()),
        States::Words { one, zero } => {
            let options = json!({"0": {"text": zero, "color": RED}, "1": {"text": one, "color": GREEN}});
            (None, vec![Mapping { kind: "value", options }])
        }
    };
    FieldConfig {
        defaults: Defaults {
            unit: Some(unit.as_str()),
            min: None,
            no_value: Some(no_value),
            mappings,
            thresholds,
            custom: None,
        },
        overrides: [],
    }
}

#[cfg(test)]
mod tests {
    use super::ref_id;

    #[test]
    fn queries_have_letters() {
        assert_eq!([0, 25, 26, 27, 26 * 27].map(ref_id), ["A", "Z", "AA", "AB", "AAA"]);
    }
}
