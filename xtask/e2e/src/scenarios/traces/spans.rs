//! Traces as Jaeger's query API returns them.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// A trace: the spans with one trace ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) id: String,
    pub(super) spans: Vec<Span>,
}

/// An operation of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) id: String,
    /// The ID of the span that it is part of. The first span of a trace has none.
    pub(super) parent: Option<String>,
    pub(super) service: String,
    pub(super) operation: String,
    /// The attributes of it, of its events and of its resource, with the texts of their values.
    pub(super) attributes: Vec<(String, String)>,
}

impl Trace {
    /// The traces in an answer of `/api/traces`.
    ///
    /// # Errors
    /// If the answer has another form.
    pub(super) fn all_of(answer: &Value) -> anyhow::Result<Vec<Self>> {
        ensure!(answer["errors"].is_null(), "Jaeger answers with errors: {}", answer["errors"]);
        let traces = answer["data"].as_array().context("Jaeger answers with no list of traces")?;
        traces.iter().map(Self::of).collect()
    }

    fn of(trace: &Value) -> anyhow::Result<Self> {
        let id = text(trace, "traceID")?;
        let spans = trace["spans"].as_array().with_context(|| format!("the trace {id} has no list of spans"))?;
        let span = |span| Span::of(span, &trace["processes"]).with_context(|| format!("a span of the trace {id}"));
        Ok(Self { spans: spans.iter().map(span).collect::<anyhow::Result<_>>()?, id })
    }

    /// The span that no span of the trace contains.
    ///
    /// # Errors
    /// If it is not the only one, or if a span's parent is missing: the trace is broken.
    pub(super) fn root(&self) -> anyhow::Result<&Span> {
        let missing: Vec<_> = self
            .spans
            .iter()
            .filter(|span| span.parent.is_some() && self.parent(span).is_none())
            .map(Span::title)
            .collect();
        ensure!(missing.is_empty(), "the parents of these spans are missing: {}\n{}", missing.join(", "), self.drawn());
        let roots: Vec<_> = self.spans.iter().filter(|span| span.parent.is_none()).collect();
        let [root] = roots[..] else {
            anyhow::bail!("the trace has {} spans without a parent instead of one\n{}", roots.len(), self.drawn());
        };
        Ok(root)
    }

    fn parent(&self, span: &Span) -> Option<&Span> {
        let id = span.parent.as_ref()?;
        self.spans.iter().find(|span| span.id == *id)
    }

    /// The services from the beginning of the trace to a span, each named when the path enters it.
    pub(super) fn path_to(&self, span: &Span) -> Vec<&str> {
        let mut path: Vec<&str> = Vec::new();
        let mut at = self.spans.iter().find(|other| other.id == span.id);
        // No path is longer than the trace, unless a span contains itself.
        for _ in 0..self.spans.len() {
            let Some(span) = at else { break };
            if path.last() != Some(&span.service.as_str()) {
                path.push(&span.service);
            }
            at = self.parent(span);
        }
        path.reverse();
        path
    }

    /// The services with a span.
    pub(super) fn services(&self) -> BTreeSet<&str> {
        self.spans.iter().map(|span| span.service.as_str()).collect()
    }

    /// The first span with an SQL statement that begins with this word.
    pub(super) fn statement(&self, word: &str) -> Option<&Span> {
        self.spans.iter().find(|span| span.statement().is_some_and(|statement| statement.starts_with(word)))
    }

    /// Whether an attribute of a span contains this text.
    pub(super) fn contains(&self, text: &str) -> bool {
        self.spans.iter().any(|span| span.contains(text))
    }

    /// The spans, one per line, each with its parent.
    pub(super) fn drawn(&self) -> String {
        let line = |span: &Span| {
            let parent = span.parent.as_deref().unwrap_or("-");
            let statement = span.statement().map(|statement| format!(": {statement:.60}")).unwrap_or_default();
            format!("  {} < {parent} {}{statement}", span.id, span.title())
        };
        format!("trace {}\n{}", self.id, self.spans.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

impl Span {
    fn of(span: &Value, processes: &Value) -> anyhow::Result<Self> {
        let mut references = span["references"].as_array().into_iter().flatten();
        let parent = references.find(|reference| reference["refType"] == "CHILD_OF");
        let list = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
        let process = &processes[text(span, "processID")?];
        let of_events = list(&span["logs"]).into_iter().flat_map(|event| list(&event["fields"]));
        let tags: Vec<_> = list(&span["tags"]).into_iter().chain(of_events).chain(list(&process["tags"])).collect();
        let attribute = |tag: &Value| {
            let value = &tag["value"];
            Ok((text(tag, "key")?, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        };
        Ok(Self {
            id: text(span, "spanID")?,
            parent: parent.map(|reference| text(reference, "spanID")).transpose()?,
            service: text(process, "serviceName")?,
            operation: text(span, "operationName")?,
            attributes: tags.iter().map(attribute).collect::<anyhow::Result<_>>()?,
        })
    }

    fn attribute(&self, names: &[&str]) -> Option<&str> {
        let found = self.attributes.iter().find(|(name, _)| names.contains(&name.as_str()));
        found.map(|(_, value)| value.as_str())
    }

    /// Its SQL statement or its command for a cache.
    pub(super) fn statement(&self) -> Option<&str> {
        self.attribute(&["db.statement", "db.query.text"]).map(str::trim_start)
    }

    /// The path of the HTTP request that it is about, without the query.
    pub(super) fn path(&self) -> Option<&str> {
        let target = self.attribute(&["url.path", "http.target", "url.full", "http.url"])?;
        let path = match target.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |start| &rest[start..]),
            None => target,
        };
        path.split(['?', '#']).next()
    }

    /// Whether an attribute contains this text.
    pub(super) fn contains(&self, text: &str) -> bool {
        self.operation.contains(text) || self.attributes.iter().any(|(_, value)| value.contains(text))
    }

    /// Its service and its operation.
    pub(super) fn title(&self) -> String {
        format!("{} · {}", self.service, self.operation)
    }
}

fn text(value: &Value, name: &str) -> anyhow::Result<String> {
    value[name].as_str().map(str::to_owned).with_context(|| format!("there is no `{name}` in {value}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn span(id: &str, parent: Option<&str>, process: &str, tags: &Value) -> Value {
        let reference = |parent| json!({ "refType": "CHILD_OF", "traceID": "t", "spanID": parent });
        json!({
            "traceID": "t", "spanID": id, "operationName": format!("does {id}"), "processID": process, "tags": tags,
            "references": parent.map(reference).into_iter().collect::<Vec<_>>(),
        })
    }

    fn trace(spans: &[Value]) -> Trace {
        let processes = json!({ "p1": { "serviceName": "front" }, "p2": { "serviceName": "store" } });
        let answer = json!({ "data": [{ "traceID": "t", "spans": spans, "processes": processes }], "errors": null });
        Trace::all_of(&answer).expect("it is right").remove(0)
    }

    #[test]
    fn a_whole_trace_leads_from_its_root_to_the_statement() {
        let target = json!([{ "key": "http.target", "value": "/in?m1" }, { "key": "http.status_code", "value": 200 }]);
        let sql = json!([{ "key": "db.statement", "value": "\n INSERT INTO rows VALUES (%(a)s)" }]);
        let trace = trace(&[
            span("c", Some("b"), "p2", &sql),
            span("a", None, "p1", &target),
            span("b", Some("a"), "p1", &json!([])),
        ]);
        let insert = trace.statement("INSERT").expect("it is there");
        assert_eq!(trace.root().expect("it is whole").path(), Some("/in"));
        assert_eq!((insert.id.as_str(), trace.path_to(insert)), ("c", vec!["front", "store"]));
        assert!(trace.statement("SELECT").is_none());
        assert!(trace.contains("m1") && trace.contains("200") && !trace.contains("m2"));
        assert_eq!(trace.services(), ["front", "store"].into());
    }

    #[test]
    fn events_and_resources_have_attributes_too() {
        let mut span = span("a", None, "p1", &json!([]));
        span["logs"] = json!([{ "timestamp": 1, "fields": [{ "key": "event", "value": "login of e1" }] }]);
        let processes = json!({ "p1": { "serviceName": "front", "tags": [{ "key": "host.name", "value": "h1" }] } });
        let answer = json!({ "data": [{ "traceID": "t", "spans": [span], "processes": processes }] });
        let trace = Trace::all_of(&answer).expect("it is right").remove(0);
        assert!(trace.contains("of e1") && trace.contains("h1") && !trace.contains("e2"));
    }

    #[test]
    fn a_broken_trace_says_what_is_missing() {
        let broken = |spans: &[Value]| trace(spans).root().expect_err("it is broken").to_string();
        let orphan = broken(&[span("a", None, "p1", &json!([])), span("c", Some("b"), "p2", &json!([]))]);
        assert!(orphan.starts_with("the parents of these spans are missing: store · does c\ntrace t\n"), "{orphan}");
        let two = broken(&[span("a", None, "p1", &json!([])), span("b", None, "p2", &json!([]))]);
        assert!(two.starts_with("the trace has 2 spans without a parent instead of one\n"), "{two}");
        // A circle ends.
        let circle = trace(&[span("a", Some("b"), "p1", &json!([])), span("b", Some("a"), "p2", &json!([]))]);
        assert_eq!(circle.path_to(&circle.spans[0]).len(), 2);
    }

    #[test]
    fn the_path_of_a_request_is_found_in_each_form() {
        let path = |key: &str, value: &str| {
            let tags = json!([{ "key": key, "value": value }]);
            trace(&[span("a", None, "p1", &tags)]).spans[0].path().map(str::to_owned)
        };
        assert_eq!(path("http.url", "http://store:8000/alerts?limit=3").as_deref(), Some("/alerts"));
        assert_eq!(path("url.full", "http://store:8000").as_deref(), Some("/"));
        assert_eq!(path("url.path", "/healthz").as_deref(), Some("/healthz"));
        assert_eq!(path("messaging.system", "rabbitmq"), None);
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let error = |answer: Value| format!("{:#}", Trace::all_of(&answer).expect_err("it is wrong"));
        assert_eq!(error(json!({ "data": null })), "Jaeger answers with no list of traces");
        let errors = error(json!({ "data": null, "errors": [{ "msg": "no storage" }] }));
        assert_eq!(errors, r#"Jaeger answers with errors: [{"msg":"no storage"}]"#);
        let spans = json!([{ "traceID": "t", "processID": "p1" }]);
        let nameless = error(json!({ "data": [{ "traceID": "t", "spans": spans, "processes": {} }] }));
        assert!(nameless.starts_with("a span of the trace t: there is no `spanID` in "), "{nameless}");
    }
}
