//! The tables of values: what several charts have, once, and what is particular to each chart.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;

use crate::emit::values::{Entry, Node, Section};
use crate::graph::Graph;
use crate::text::{Row, cell, code_cell};
use crate::yaml;

/// A section of the README with a table of values.
pub(super) struct Group {
    pub(super) title: String,
    pub(super) doc: String,
    /// The keys that other charts of the same role have, but not this one.
    pub(super) lacks: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// A value of a chart.
struct Leaf<'a> {
    /// The path below the chart's key.
    path: String,
    doc: &'a str,
    default: &'a Value,
}

/// A value that several charts have, by its path below the chart's key.
struct Common<'a> {
    doc: &'a str,
    /// The default, if all charts have the same one.
    default: Option<&'a Value>,
    charts: usize,
}

/// The tables of all values: `global`, then the services, then the servers.
pub(super) fn groups(graph: &Graph, tree: &Section) -> Vec<Group> {
    let services: BTreeSet<&str> = graph.services().map(|(component, _)| component.name).collect();
    let (shared, charts): (Vec<&Entry>, Vec<&Entry>) = tree.0.iter().partition(|entry| entry.field.key == "global");
    let (services, servers): (Vec<&Entry>, Vec<&Entry>) =
        charts.into_iter().partition(|entry| services.contains(entry.field.key.as_str()));
    let shared = shared.into_iter().map(|entry| chart(entry, &leaves(entry), &BTreeMap::new()));
    shared.chain(role("service", &services)).chain(role("server", &servers)).collect()
}

/// The table of a chart without subcharts.
pub(super) fn of_chart(tree: &Section) -> Group {
    let mut leaves = Vec::new();
    collect(&mut leaves, "", tree);
    let row = |leaf: &Leaf| Row::of(&[code_cell(&leaf.path), code(leaf.default), cell(leaf.doc)]);
    let doc = "The defaults of all values.".to_owned();
    Group { title: "All values".to_owned(), doc, lacks: Vec::new(), rows: leaves.iter().map(row).collect() }
}

/// The tables of the charts of one role: what they have in common, then each of them.
fn role(name: &str, entries: &[&Entry]) -> Vec<Group> {
    let charts: Vec<Vec<Leaf>> = entries.iter().map(|entry| leaves(entry)).collect();
    let common = common(&charts);
    let row = |leaf: &Leaf| {
        let default = common[leaf.path.as_str()].default.map_or("differs".to_owned(), code);
        Row::of(&[code_cell(&format!("<{name}>.{}", leaf.path)), default, cell(leaf.doc)])
    };
    let rows: Vec<Row> = in_order(&charts, &common).into_iter().map(row).collect();
    let each = (!rows.is_empty()).then(|| Group {
        title: format!("Each {name}"),
        doc: format!("`<{name}>` is the name of a {name}. Each section below lists the defaults and values that differ for that {name}."),
        lacks: Vec::new(),
        rows,
    });
    each.into_iter().chain(entries.iter().zip(&charts).map(|(entry, leaves)| chart(entry, leaves, &common))).collect()
}

/// The values that at least two charts have with the same documentation. Of a path that is documented in several ways, the most frequent one.
fn common<'a>(charts: &'a [Vec<Leaf<'a>>]) -> BTreeMap<&'a str, Common<'a>> {
    let mut all: BTreeMap<&str, Vec<Common>> = BTreeMap::new();
    for leaf in charts.iter().flatten() {
        let documented = all.entry(&leaf.path).or_default();
        match documented.iter_mut().find(|common| common.doc == leaf.doc) {
            Some(common) => {
                common.charts += 1;
                common.default = common.default.filter(|default| *default == leaf.default);
            }
            None => documented.push(Common { doc: leaf.doc, default: Some(leaf.default), charts: 1 }),
        }
    }
    let most = |(path, documented): (&'a str, Vec<Common<'a>>)| {
        let most = documented.into_iter().rev().max_by_key(|common| common.charts)?;
        (most.charts > 1).then_some((path, most))
    };
    all.into_iter().filter_map(most).collect()
}

/// The common values in the order of the charts: a value that an earlier chart does not have follows the value before it.
fn in_order<'a>(charts: &'a [Vec<Leaf<'a>>], common: &BTreeMap<&str, Common>) -> Vec<&'a Leaf<'a>> {
    let mut all: Vec<&Leaf> = Vec::new();
    for chart in charts {
        let mut next = 0;
        for leaf in chart.iter().filter(|leaf| is_common(leaf, common)) {
            let position = all.iter().position(|listed| listed.path == leaf.path);
            if position.is_none() {
                all.insert(next, leaf);
            }
            next = position.unwrap_or(next) + 1;
        }
    }
    all
}

/// The table of one chart: the values that are not common, and those with another default.
fn chart(entry: &Entry, leaves: &[Leaf], common: &BTreeMap<&str, Common>) -> Group {
    let key = entry.field.key.as_str();
    let is_said = |leaf: &&Leaf| is_common(leaf, common) && common[leaf.path.as_str()].default.is_some();
    let rows = leaves
        .iter()
        .filter(|leaf| !is_said(leaf))
        .map(|leaf| Row::of(&[code_cell(&format!("{key}.{}", leaf.path)), code(leaf.default), cell(leaf.doc)]));
    Group { title: key.to_owned(), doc: cell(&entry.field.doc), lacks: lacks(leaves, common), rows: rows.collect() }
}

fn is_common(leaf: &Leaf, common: &BTreeMap<&str, Common>) -> bool {
    common.get(leaf.path.as_str()).is_some_and(|common| common.doc == leaf.doc)
}

/// The common keys that a chart does not have: of a section that is missing as a whole, its own key.
fn lacks(leaves: &[Leaf], common: &BTreeMap<&str, Common>) -> Vec<String> {
    let own: BTreeSet<&str> = leaves.iter().flat_map(|leaf| prefixes(&leaf.path)).collect();
    let missing = common.keys().filter_map(|path| prefixes(path).find(|prefix| !own.contains(prefix)));
    let missing: BTreeSet<&str> = missing.collect();
    missing.into_iter().map(code_cell).collect()
}

/// `a`, `a.b` and `a.b.c` of `a.b.c`.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.match_indices('.').map(|(end, _)| end).chain([path.len()]);
    ends.filter_map(|end| path.get(..end))
}

fn leaves(entry: &Entry) -> Vec<Leaf<'_>> {
    let mut all = Vec::new();
    if let Node::Section(section) = &entry.node {
        collect(&mut all, "", section);
    }
    all
}

fn collect<'a>(leaves: &mut Vec<Leaf<'a>>, path: &str, section: &'a Section) {
    for entry in &section.0 {
        let path = if path.is_empty() { entry.field.key.clone() } else { format!("{path}.{}", entry.field.key) };
        match &entry.node {
            Node::Section(inner) => collect(leaves, &path, inner),
            Node::Leaf(default) => leaves.push(Leaf { path, doc: &entry.field.doc, default }),
        }
    }
}

fn code(default: &Value) -> String {
    code_cell(&yaml::leaf(default))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service(name: &str, image: &str, keys: &[(&str, &str)]) -> Entry {
        let leaf =
            |key: &str, doc: &str, default: &str| Entry::leaf(key, doc, default.into(), json!({ "type": "string" }));
        let image = Entry::section("image", "The image.", Section(vec![leaf("repository", "Without a tag.", image)]));
        let further = keys.iter().map(|(key, doc)| leaf(key, doc, "x"));
        Entry::section(name, "A service.", Section([image].into_iter().chain(further).collect()))
    }

    #[test]
    fn what_several_charts_have_is_said_once() {
        let services = [
            service("a", "shop/a", &[("level", "Its level."), ("via", "How it is reached."), ("own", "Of a alone.")]),
            service("b", "shop/b", &[("level", "Its level."), ("via", "How it is reached.")]),
            service("c", "shop/c", &[("level", "Another level.")]),
        ];
        let groups = role("service", &services.iter().collect::<Vec<_>>());
        let shown: Vec<_> = groups
            .iter()
            .map(|group| {
                let rows: Vec<_> = group.rows.iter().map(ToString::to_string).collect();
                (group.title.as_str(), group.lacks.join(" "), rows.join("\n"))
            })
            .collect();
        let image = |name: &str| format!("| `{name}.image.repository` | `shop/{name}` | Without a tag. |");
        let common = "| `<service>.image.repository` | differs | Without a tag. |\n| `<service>.level` | `x` | Its level. |\n| `<service>.via` | `x` | How it is reached. |";
        assert_eq!(
            shown,
            [
                ("Each service", String::new(), common.to_owned()),
                ("a", String::new(), format!("{}\n| `a.own` | `x` | Of a alone. |", image("a"))),
                ("b", String::new(), image("b")),
                ("c", "`via`".to_owned(), format!("{}\n| `c.level` | `x` | Another level. |", image("c"))),
            ]
        );
    }

    #[test]
    fn a_missing_section_is_named_by_its_own_key() {
        let value = Value::from("x");
        let leaf = |path: &str| Leaf { path: path.to_owned(), doc: "", default: &value };
        let charts = [
            vec![leaf("a.b.c"), leaf("a.b.d"), leaf("a.e")],
            vec![leaf("a.b.c"), leaf("a.b.d"), leaf("a.e")],
            vec![leaf("a.e")],
        ];
        assert_eq!(lacks(&charts[2], &common(&charts)), ["`a.b`"]);
    }
}
