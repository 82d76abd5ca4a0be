//! The step `keys`: every `.Values` path in a template exists in the schema, and VALUES.md lists the same keys as the values.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::schema::Schema;
use super::{Path, at, leaves, schema_and_defaults};
use crate::context::VerifyContext;
use crate::report::Outcome;

pub(in super::super) fn keys(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let subcharts =
        context.traffic.services.iter().chain(&context.traffic.backing).map(String::as_str).collect::<Vec<_>>();
    let roles = [("<service>", &context.traffic.services), ("<server>", &context.traffic.backing)];
    let mut wrong = Vec::new();
    let (mut paths, mut rows) = (0, 0);
    for chart in &context.charts {
        let found = if chart == context.umbrella() {
            of_chart(chart, &subcharts, &roles)?
        } else {
            // Helpers are also called with the section of one of several programs.
            let (_, defaults) = schema_and_defaults(chart)?;
            of_chart(chart, &programs(&defaults), &[])?
        };
        paths += found.paths;
        rows += found.rows;
        wrong.extend(found.wrong);
    }
    let summary = format!("{paths} uses of .Values, {rows} rows in the tables of VALUES.md");
    Ok(Outcome::of(summary).with(wrong))
}

/// The sections of a chart beside the umbrella that are those of one program: with an image of their own.
fn programs(defaults: &Value) -> Vec<&str> {
    let sections = defaults.as_object().into_iter().flatten();
    sections.filter(|(_, section)| section["image"]["repository"].is_string()).map(|(name, _)| name.as_str()).collect()
}

/// The uses of values in the templates of a chart, the rows of its tables, and what is wrong with either.
struct Found {
    paths: usize,
    rows: usize,
    wrong: Vec<String>,
}

fn of_chart(chart: &Utf8Path, subcharts: &[&str], roles: &[(&str, &Vec<String>)]) -> anyhow::Result<Found> {
    let (schema, values) = schema_and_defaults(chart)?;
    let mut wrong = Vec::new();
    let mut paths = 0;
    for template in templates(chart)? {
        let text = fs::read_to_string(&template).with_context(|| template.to_string())?;
        let name = template.strip_prefix(chart).unwrap_or(&template);
        // A subchart's template sees only its own section. An umbrella template sees all sections, and helpers are called with any subchart's scope.
        let own = name
            .strip_prefix("charts")
            .ok()
            .and_then(|rest| rest.components().next())
            .map(|chart| chart.as_str().to_owned());
        let scopes: Vec<Option<&str>> = match &own {
            Some(chart) => vec![Some(chart.as_str())],
            None => std::iter::once(None).chain(subcharts.iter().copied().map(Some)).collect(),
        };
        for path in used(&text) {
            paths += 1;
            if !scopes.iter().any(|scope| exists(Schema::new(&schema), *scope, &path)) {
                wrong.push(format!("{name} uses .Values.{}, which the schema does not have", path.join(".")));
            }
        }
    }
    let document = chart.join("VALUES.md");
    let document = fs::read_to_string(&document).with_context(|| document.to_string())?;
    let rows = rows(&document);
    wrong.extend(table(&rows, &values, roles));
    Ok(Found { paths, rows: rows.len(), wrong })
}

fn templates(folder: &Utf8Path) -> anyhow::Result<Vec<Utf8PathBuf>> {
    let mut found = Vec::new();
    for entry in folder.read_dir_utf8().with_context(|| folder.to_string())? {
        let path = entry?.into_path();
        if path.is_dir() {
            found.extend(templates(&path)?);
        } else if path.components().any(|part| part.as_str() == "templates") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a path exists in a scope: the umbrella's, or a subchart's, which also sees `global`.
fn exists(schema: Schema<'_>, scope: Option<&str>, path: &[String]) -> bool {
    let section = scope.filter(|_| path.first().is_none_or(|first| first != "global"));
    section.map_or(Some(schema), |name| schema.key(name)).and_then(|schema| schema.path(path)).is_some()
}

/// The paths of all uses of `.Values` in a template: `.Values.a.b`, `index .Values "a" "b"`, `(index .Values "a").b`.
fn used(text: &str) -> Vec<Path> {
    const WORD: &str = ".Values";
    let mut found = Vec::new();
    for (position, _) in text.match_indices(WORD) {
        let (before, mut rest) = (&text[..position], &text[position + WORD.len()..]);
        // Skip longer words, such as `.ValuesOf`.
        if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let scope = before.trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '.' | '$' | '_'));
        let mut path = dotted(&mut rest);
        if scope.trim_end().ends_with("index") && scope.ends_with(' ') {
            while let Some(word) = rest.strip_prefix(" \"").and_then(|inner| inner.split_once('"')) {
                path.push(word.0.to_owned());
                rest = word.1;
            }
            if let Some(behind) = rest.strip_prefix(')') {
                rest = behind;
                path.extend(dotted(&mut rest));
            }
        }
        found.push(path);
    }
    found
}

/// Splits a leading `.a.b` off the text.
fn dotted(rest: &mut &str) -> Path {
    let mut path = Path::new();
    while let Some(inner) = rest.strip_prefix('.') {
        let end = inner.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(inner.len());
        if end == 0 {
            break;
        }
        path.push(inner[..end].to_owned());
        *rest = &inner[end..];
    }
    path
}

/// The keys of the tables of VALUES.md.
fn rows(document: &str) -> Vec<&str> {
    document.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(key, _)| key)).collect()
}

/// Rows without a value, and values without a row. A row covers all keys below its key. A row whose first key is that of a role stands for the
/// charts of the role.
fn table(rows: &[&str], values: &Value, roles: &[(&str, &Vec<String>)]) -> Vec<String> {
    let paths = |row: &str| -> Vec<Path> {
        let path: Path = row.split('.').map(str::to_owned).collect();
        let charts = roles.iter().find(|(role, _)| path[0] == *role).map(|(_, charts)| charts);
        let of_chart = |chart: &String| std::iter::once(chart).chain(&path[1..]).cloned().collect();
        charts.map_or_else(|| vec![path.clone()], |charts| charts.iter().map(of_chart).collect())
    };
    let unreal = rows.iter().filter(|row| paths(row).iter().all(|path| at(values, path).is_none()));
    let unreal = unreal.map(|row| format!("VALUES.md has a row for {row}, which is not a value of the chart"));
    let known: BTreeSet<Path> = rows.iter().flat_map(|row| paths(row)).collect();
    let has_row = |leaf: &Path| (1..=leaf.len()).any(|length| known.contains(&leaf[..length]));
    let unsaid = leaves(values).into_iter().filter(|leaf| !has_row(leaf));
    unreal.chain(unsaid.map(|leaf| format!("VALUES.md has no row for {}", leaf.join(".")))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_are_found_in_every_way_they_are_written() {
        let text = r#"{{ .Values.a.b }} {{- if $.Values.c }}{{ index .Values "d-e" "f" }} {{ (index $server.Values "g" "h").i.j | quote }}
            {{ .root.Values.global.k }} {{ toYaml .Values }} {{ index .Values $name }} {{ with .Values.l }}{{ .m }}"#;
        let shown: Vec<String> = used(text).iter().map(|path| path.join("/")).collect();
        assert_eq!(shown, ["a/b", "c", "d-e/f", "g/h/i/j", "global/k", "", "", "l"]);
    }

    #[test]
    fn a_path_that_does_not_exist_is_seen_in_its_scope() {
        let schema = json!({ "properties": {
            "global": { "properties": { "mode": {} } },
            "shop": { "properties": { "image": { "properties": { "tag": {} } } } },
        } });
        let path = |text: &str| text.split('.').map(str::to_owned).collect::<Path>();
        let is = |scope: Option<&str>, text: &str| exists(Schema::new(&schema), scope, &path(text));
        assert!(is(Some("shop"), "image.tag") && is(None, "shop.image") && is(Some("shop"), "global.mode"));
        assert!(!is(Some("shop"), "image.tagg") && !is(None, "image.tag") && !is(Some("shop"), "shop.image"));
    }

    #[test]
    fn a_program_has_an_image() {
        let values = json!({ "image": { "repository": "a/b" }, "gateway": { "image": { "repository": "a/b" } }, "queue": { "size": 1 } });
        assert_eq!(programs(&values), ["gateway"]);
    }

    #[test]
    fn rows_and_values_are_the_same() {
        let document = "# Values\n\n## a\n\n| Value | |\n|---|---|\n| `a.b` | 1 |\n| `a.gone` | 2 |\n";
        let values = json!({ "a": { "b": { "c": 1 }, "d": 2 } });
        assert_eq!(
            table(&rows(document), &values, &[]),
            ["VALUES.md has a row for a.gone, which is not a value of the chart", "VALUES.md has no row for a.d"]
        );
    }

    #[test]
    fn a_row_of_a_role_stands_for_its_charts() {
        let values = json!({ "a": { "b": 1 }, "c": { "b": 1, "d": 2 }, "e": { "b": 1 } });
        let charts = ["a".to_owned(), "c".to_owned()].to_vec();
        let rows = ["<service>.b", "<service>.d", "<service>.gone"];
        assert_eq!(
            table(&rows, &values, &[("<service>", &charts)]),
            [
                "VALUES.md has a row for <service>.gone, which is not a value of the chart",
                "VALUES.md has no row for e.b"
            ]
        );
    }
}
