//! Renders a chart beside the umbrella with other values.

use tools::{Template, Tool};

use crate::accepted::Values;
use crate::{folder, rendered};

/// Renders the chart of this name with these values beside its CI values, or returns Helm's refusal.
pub(crate) fn render(name: &str, tool: Tool, values: Values<'_>) -> Result<String, String> {
    let helm = tool.ensure().expect("Helm is there or can be built");
    let chart = rendered().paths().further.iter().find(|chart| chart.name == name).expect("the chart").clone();
    let arguments: Vec<String> = values.iter().map(|(path, value)| format!("--set-json={path}={value}")).collect();
    let template = Template {
        chart: &folder().join(&chart.folder),
        release: &format!("afp-{name}"),
        values: &[&folder().join(&chart.ci_values)],
        arguments: &arguments.iter().map(String::as_str).collect::<Vec<_>>(),
    };
    helm.template(&template).expect("Helm runs")
}
