//! The Collector's configuration: what follows from the declaration as data, around it the named template that adds what the values decide.

use askama::Template;
use serde_json::{Value as Json, json};

use super::{AGENT, HEALTH, Names, POD_LOGS, STATE};
use crate::expr::go_string;
use crate::graph::Graph;
use crate::log_format::{LogFormat, Severity};
use crate::names::{BACKUP, EXPORTER, PROVISION, RECONCILE, VERIFY};
use crate::yaml::template_block;

/// The named template with the configuration.
#[derive(Template)]
#[template(path = "addons/logs/_collector.tpl")]
pub(super) struct Collector<'a> {
    names: &'a Names,
    extensions: String,
    /// Before and behind the operator that selects the Pods of the release.
    joining: String,
    parsing: String,
    /// What stands behind a server's name in the names of its Jobs' and its exporter's Pods.
    others: String,
    pod_logs: &'static str,
    workload: &'static str,
}

pub(super) fn template<'a>(c: &'a Graph, names: &'a Names) -> Collector<'a> {
    Collector {
        names,
        extensions: template_block(&extensions()),
        joining: template_block(&joining(c)),
        parsing: template_block(&parsing(c)),
        others: [BACKUP, EXPORTER, PROVISION, RECONCILE, VERIFY].join("|"),
        pod_logs: POD_LOGS,
        workload: AGENT,
    }
}

fn extensions() -> Json {
    json!({
        "health_check": { "endpoint": format!("0.0.0.0:{HEALTH}") },
        "file_storage": {
            "directory": STATE,
            "create_directory": false,
            // Returns the room of a queue that was emptied.
            "compaction": { "directory": STATE, "on_rebound": true },
        },
    })
}

/// The operators that make records of lines.
fn joining(c: &Graph) -> Json {
    let patterns = continuations(c);
    let continues: Vec<_> = patterns.iter().map(|pattern| format!("body matches {}", go_string(pattern))).collect();
    json!([
        // The format of the container runtime: time, stream, whole or part of a line. Namespace, Pod and container follow from the path.
        { "type": "container" },
        {
            "type": "recombine",
            "combine_field": "body",
            "source_identifier": r#"attributes["log.file.path"]"#,
            "is_first_entry": format!("not ({})", continues.join(" or ")),
            "force_flush_period": "2s",
            "max_batch_size": 2000,
            "max_log_size": "256KiB",
        },
    ])
}

/// The operators that read severity and logger, behind the one that finds service or server.
fn parsing(c: &Graph) -> Json {
    let parser = |format: &LogFormat, condition: String| {
        let levels: serde_json::Map<String, Json> =
            format.levels.iter().map(|(severity, words)| (severity.key().to_owned(), json!(words))).collect();
        json!({
            "type": "regex_parser",
            "if": condition,
            "regex": format.record,
            "severity": { "parse_from": "attributes.level", "preset": "none", "mapping": levels, "overwrite_text": true },
            // A line in another format stays as it is.
            "on_error": "send_quiet",
        })
    };
    let of_services = PYTHON.iter().map(|format| parser(format, r#"attributes.service != """#.to_owned()));
    let of_servers = server_formats(c)
        .map(|(server, format)| parser(&format, format!("attributes.server == {}", go_string(server))));
    let name = r#"EXPR(attributes.service != "" ? attributes.service : attributes.server)"#;
    let name = json!({ "type": "add", "field": r#"resource["service.name"]"#, "value": name });
    Json::Array(of_services.chain(of_servers).chain([name]).collect())
}

/// The beginnings of lines that continue a record, each once.
pub(super) fn continuations(c: &Graph) -> Vec<&'static str> {
    let mut patterns = PYTHON_CONTINUATIONS.to_vec();
    for pattern in server_formats(c).filter_map(|(_, format)| format.continuation) {
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    patterns
}

fn server_formats(c: &Graph) -> impl Iterator<Item = (&'static str, LogFormat)> {
    c.servers().filter_map(|(component, server)| Some((component.name, server.kind.log_format()?)))
}

/// Python's words for its levels.
const PYTHON_LEVELS: &[(Severity, &[&str])] = &[
    (Severity::Debug, &["DEBUG"]),
    (Severity::Info, &["INFO"]),
    (Severity::Warn, &["WARNING", "WARN"]),
    (Severity::Error, &["ERROR"]),
    (Severity::Fatal, &["CRITICAL", "FATAL"]),
];

/// Formats of Python programs. A service's log in another format has no severity.
const PYTHON: [LogFormat; 3] = [
    // `%(asctime)s - %(name)s - %(levelname)s - %(message)s`, the format of the examples in Python's documentation.
    LogFormat {
        record: r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[,.]\d{3} - (?P<logger>\S+) - (?P<level>[A-Z]+) - ",
        levels: PYTHON_LEVELS,
        continuation: None,
        personal: None,
    },
    // `logging.BASIC_FORMAT`, and uvicorn's, which has no logger.
    LogFormat {
        record: r"^(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):(?:(?P<logger>[\w.]+):)?",
        levels: PYTHON_LEVELS,
        continuation: None,
        personal: None,
    },
    // gunicorn and hypercorn: `[2026-11-27 02:08:48 +0000] [1] [INFO] …`.
    LogFormat {
        record: r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[(?P<level>[A-Z]+)\] ",
        levels: PYTHON_LEVELS,
        continuation: None,
        personal: None,
    },
];

/// The lines that continue a record: those that begin with a blank, and those that a Python traceback has at its beginning and its end.
const PYTHON_CONTINUATIONS: [&str; 3] = [
    r"^(\s|$|Traceback \(most recent call last\):|During handling of the above|The above exception was)",
    r"^([A-Za-z_]\w*\.)+[A-Z]\w*(:|$)",
    r"^[A-Z]\w*(Error|Exception|Exit|Interrupt|Iteration|Warning|Group)(:|$)",
];
