//! The part of Grafana's schema of dashboards (version 39, Grafana 10.3 and later) that the chart uses.

use serde::Serialize;
use serde_json::Value;

/// A dashboard.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dashboard {
    pub(super) uid: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) tags: Vec<String>,
    pub(super) timezone: &'static str,
    pub(super) editable: bool,
    /// 1: the panels share the crosshair.
    pub(super) graph_tooltip: u8,
    pub(super) time: Time,
    pub(super) refresh: &'static str,
    pub(super) schema_version: u16,
    pub(super) templating: Templating,
    pub(super) annotations: Annotations,
    pub(super) links: Vec<Link>,
    pub(super) panels: Vec<Item>,
}

#[derive(Serialize)]
pub(super) struct Time {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
}

#[derive(Serialize)]
pub(super) struct Templating {
    pub(super) list: Vec<Variable>,
}

#[derive(Serialize)]
pub(super) struct Annotations {
    pub(super) list: [Value; 0],
}

/// A variable, whose value the reader of the dashboard chooses.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Variable {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) description: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) datasource: Option<DataSource>,
    /// The kind of the source of data, or the query that finds the choices.
    pub(super) query: String,
    /// The choice when the dashboard is opened, if the query finds it; else the first that it finds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) current: Option<Choice>,
    /// 1: the choices are found when the dashboard is opened; 2: also when its time changes.
    pub(super) refresh: u8,
    /// 1: by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sort: Option<u8>,
    pub(super) multi: bool,
    pub(super) include_all: bool,
}

#[derive(Serialize)]
pub(super) struct Choice {
    pub(super) text: String,
    pub(super) value: String,
}

/// The source of data of a panel, a query or a variable.
#[derive(Clone, Serialize)]
pub(super) struct DataSource {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) uid: &'static str,
}

/// A link above the panels, or one of a panel.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Link {
    pub(super) title: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) icon: &'static str,
    pub(super) tooltip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) as_dropdown: bool,
    pub(super) target_blank: bool,
    pub(super) include_vars: bool,
    pub(super) keep_time: bool,
}

/// An entry of the list of panels: the heading of a row, or a panel.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Item {
    Heading(Heading),
    Panel(Box<Panel>),
}

/// The heading of a row, which is open: its panels follow it in the list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Heading {
    pub(super) id: u32,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) title: String,
    pub(super) collapsed: bool,
    pub(super) grid_pos: GridPos,
    pub(super) panels: [Value; 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Panel {
    pub(super) id: u32,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    pub(super) grid_pos: GridPos,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) datasource: Option<DataSource>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) targets: Vec<Target>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) links: Vec<Link>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) transformations: Vec<Transformation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) field_config: Option<FieldConfig>,
    pub(super) options: Options,
}

/// A place on the grid of 24 columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct GridPos {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) w: u32,
    pub(super) h: u32,
}

/// A query of Prometheus.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Target {
    pub(super) ref_id: String,
    pub(super) expr: String,
    pub(super) legend_format: String,
    /// Whether the query is evaluated once, at the end of the time range.
    pub(super) instant: bool,
    pub(super) range: bool,
    pub(super) format: &'static str,
    pub(super) editor_mode: &'static str,
}

#[derive(Serialize)]
pub(super) struct Transformation {
    pub(super) id: &'static str,
    pub(super) options: Value,
}

#[derive(Serialize)]
pub(super) struct FieldConfig {
    pub(super) defaults: Defaults,
    pub(super) overrides: [Value; 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Defaults {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) min: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) no_value: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) mappings: Vec<Mapping>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thresholds: Option<Thresholds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<LineStyle>,
}

/// Words and colours for values.
#[derive(Serialize)]
pub(super) struct Mapping {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) options: Value,
}

#[derive(Serialize)]
pub(super) struct Thresholds {
    pub(super) mode: &'static str,
    pub(super) steps: Vec<Threshold>,
}

/// The colour from a value on; the first has none.
#[derive(Serialize)]
pub(super) struct Threshold {
    pub(super) value: Option<u8>,
    pub(super) color: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LineStyle {
    pub(super) fill_opacity: u8,
    pub(super) show_points: &'static str,
}

/// What belongs to a type of panel.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Options {
    TimeSeries(TimeSeries),
    Stat(Stat),
    Table(Table),
    Text(Text),
}

#[derive(Serialize)]
pub(super) struct TimeSeries {
    pub(super) legend: Legend,
    pub(super) tooltip: Tooltip,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Legend {
    pub(super) display_mode: &'static str,
    pub(super) placement: &'static str,
    #[serde(rename = "showLegend")]
    pub(super) is_shown: bool,
    pub(super) calcs: &'static [&'static str],
}

#[derive(Serialize)]
pub(super) struct Tooltip {
    pub(super) mode: &'static str,
    pub(super) sort: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stat {
    pub(super) graph_mode: &'static str,
    pub(super) color_mode: &'static str,
    pub(super) justify_mode: &'static str,
    pub(super) text_mode: &'static str,
    pub(super) orientation: &'static str,
    pub(super) wide_layout: bool,
    pub(super) show_percent_change: bool,
    pub(super) percent_change_color_mode: &'static str,
    pub(super) reduce_options: Reduce,
}

#[derive(Serialize)]
pub(super) struct Reduce {
    pub(super) values: bool,
    pub(super) calcs: [&'static str; 1],
    pub(super) fields: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Table {
    pub(super) frame_index: u8,
    pub(super) show_header: bool,
    pub(super) cell_height: &'static str,
}

#[derive(Serialize)]
pub(super) struct Text {
    pub(super) mode: &'static str,
    pub(super) content: String,
}
