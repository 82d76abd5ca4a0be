//! The reader gives every text the value that real Helm 3 and Helm 4 give it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, and says why")]

use std::fmt::Write as _;
use std::fs;

use camino::Utf8Path;
use serde_json::{Value as Json, json};
use serde_yaml::Value;
use tempfile::TempDir;
use tools::{Template, Tool, ToolBinary};

/// Texts of every kind that YAML 1.1, YAML 1.2 and go-yaml read differently.
const TEXTS: &[&str] = &[
    // Numbers with underscores, signs, bases and exponents.
    "1_2345_67",
    "1_",
    "_1",
    "1__0",
    "+1_0",
    "-1_0",
    "1_a",
    "0_8",
    "0x_1F",
    "12345678901234567890123456789012",
    "1234567890123456789",
    "18446744073709551615",
    "18446744073709551616",
    "+18446744073709551615",
    "-9223372036854775808",
    "-9223372036854775809",
    "017",
    "08",
    "0o17",
    "0O17",
    "0o18",
    "0x1F",
    "0X1f",
    "-0x1F",
    "+0x1F",
    "0x",
    "0xFFFFFFFFFFFFFFFFF",
    "0b101",
    "0B101",
    "-0b101",
    "0b2",
    "00",
    "0",
    "-0",
    "+0",
    "1e3",
    "1E3",
    "+1e3",
    "1e",
    "1e+",
    "1e-3",
    "1e400",
    "-1e400",
    "1.",
    "1.5",
    "1.5.5",
    ".5",
    ".5e3",
    "5.e3",
    ".1_0",
    ".1__0",
    "._1",
    ".1_",
    "1.1_0",
    ".",
    "-.5",
    "+.5",
    "+",
    "1e3_0",
    "1_000.5",
    "0.0",
    "00.5",
    "0x1.8p1",
    "1p4",
    ".e3",
    // Booleans, null and their neighbours.
    "yes",
    "Yes",
    "YES",
    "yEs",
    "no",
    "on",
    "On",
    "off",
    "OFF",
    "y",
    "Y",
    "n",
    "N",
    "true",
    "True",
    "TRUE",
    "tRUE",
    "false",
    "t",
    "f",
    "~",
    "~~",
    "null",
    "Null",
    "NULL",
    "nULL",
    "none",
    "None",
    "nil",
    "",
    // Texts that other readers take for numbers or dates.
    "inf",
    "Inf",
    ".Infinity",
    "nan",
    "NaN",
    "12:30:45",
    "1:20",
    "190:20:30.15",
    "2001-01-01",
    "2001-1-1",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43.10 -5",
    "2001-12-14T21:59:43Z",
    "=",
    "<<",
    "1,000",
    "1 000",
    // Quotes, tags and blocks.
    "\"1_0\"",
    "'yes'",
    "\"\"",
    "''",
    "! 12",
    "! \"12\"",
    "&e ! 12",
    "! &e 12",
    "&e 12",
    "[é, ! 12, &e é]",
    "!!str 12",
    "!!str yes",
    "!!str",
    "!!int 12",
    "!!int \"3\"",
    "!!int 0x1F",
    "!!float 12",
    "!!float 1e3",
    "!!bool yes",
    "!!bool \"on\"",
    "!!null ~",
    "!!null ''",
    "!!binary aGVsbG8=",
    "!!timestamp 2001-01-01",
    "!own 12",
    "!own [1, a]",
    "!own {a: 1}",
    "!!set {a}",
    "|\n  12\n",
    ">-\n  yes\n",
    "\"a\\\n  b\"",
    "a\n  b",
    "{a: 1, ? b}",
    "[1_0, yes, ~, 0o17, {a: .5}]",
    "{yes: 1, 1_0: 2, 0x1F: 3, 1.5: 4, ~a: 5}",
    "{a: &x {b: 1}, c: *x}",
    "{a: &x 1_0, c: *x}",
    "&x",
    // Merges, in go-yaml's order.
    "{<<: {a: 1, b: 2}, a: 3}",
    "{a: 3, <<: {a: 1, b: 2}}",
    "{<<: [{a: 1}, {a: 2, b: 2}]}",
    "{\"<<\": {a: 1}}",
    "{a: &x {b: 1, c: 2}, d: {<<: *x, b: 3}}",
];

/// Texts that Helm rejects.
const REJECTED: &[&str] = &[
    ".inf",
    "+.inf",
    "-.INF",
    ".nan",
    ".NaN",
    "!!int abc",
    "!!int 1.5",
    "!!float abc",
    "!!bool 12",
    "!!bool maybe",
    "!!null x",
    "!!binary '***'",
    "!!timestamp abc",
    "{[a]: 1}",
    "{{a: 1}: 1}",
    "{~: 1}",
    "{<<: 1}",
    "{<<: [1]}",
    "*none",
    "&x {a: *x}",
    "\"a",
    "'a",
    "[a",
    "{a",
    "a: b",
    "@a",
    "`a",
    "%a",
    "- a",
    "-",
    "\"\\q\"",
    "a:\tb: c",
    "|x\n  a",
];

struct Helm {
    tools: [ToolBinary; 2],
    folder: TempDir,
}

impl Helm {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("templates")).unwrap();
        fs::write(folder.path().join("Chart.yaml"), "apiVersion: v2\nname: tiny\nversion: 0.0.0\n").unwrap();
        fs::write(folder.path().join("templates/values.yaml"), "{{ omit .Values \"global\" | toJson }}\n").unwrap();
        Self { tools: [Tool::BatchHelm3.ensure().unwrap(), Tool::BatchHelm4.ensure().unwrap()], folder }
    }

    /// The values as Helm 3 and Helm 4 read them, or their messages.
    fn read(&self, text: &str) -> [Result<Json, String>; 2] {
        let chart = Utf8Path::from_path(self.folder.path()).unwrap();
        let values = chart.with_extension("values.yaml");
        fs::write(&values, text).unwrap();
        let read = |tool: &ToolBinary| {
            let input = Template { chart, release: "t", values: &[&values], arguments: &[] };
            let printed = tool.template(&input).unwrap()?;
            let json = printed.lines().find(|line| line.starts_with('{')).expect("a line of JSON");
            Ok(serde_json::from_str(json).unwrap())
        };
        let both = [read(&self.tools[0]), read(&self.tools[1])];
        fs::remove_file(values).unwrap();
        both
    }
}

/// The tree as Helm stores it: every number is a float, keys are strings, and tags are dropped.
fn stored(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => json!(flag),
        Value::Number(number) => json!(number.as_f64()),
        Value::String(text) => json!(text),
        Value::Sequence(items) => items.iter().map(stored).collect(),
        Value::Tagged(tagged) => stored(&tagged.value),
        Value::Mapping(map) => {
            let key =
                |key: &Value| key.as_str().map_or_else(|| stored(key).to_string().replace(".0", ""), str::to_owned);
            Json::Object(map.iter().map(|(name, value)| (key(name), stored(value))).collect())
        }
    }
}

/// The JSON with every number as a float.
fn floats(json: Json) -> Json {
    match json {
        Json::Number(number) => json!(number.as_f64()),
        Json::Array(items) => items.into_iter().map(floats).collect(),
        Json::Object(map) => Json::Object(map.into_iter().map(|(key, value)| (key, floats(value))).collect()),
        other => other,
    }
}

/// Whether two trees are the same. `serde_json` reads the last digit of some floats differently from Helm.
fn is_same(ours: &Json, theirs: &Json) -> bool {
    match (ours, theirs) {
        (Json::Number(ours), Json::Number(theirs)) => {
            let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
            (ours - theirs).abs() <= ours.abs() * 4.0 * f64::EPSILON
        }
        (Json::Array(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| is_same(ours, theirs))
        }
        (Json::Object(ours), Json::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(key, value)| theirs.get(key).is_some_and(|other| is_same(value, other)))
        }
        _ => ours == theirs,
    }
}

/// A values file in which `x0`, `x1` and so on have these texts, in a map that Helm does not clean of null.
fn file(texts: &[String]) -> String {
    let lines = texts.iter().enumerate().map(|(at, text)| format!("- x{at}: {text}\n"));
    format!("all:\n{}", lines.collect::<String>())
}

fn assert_read_alike(helm: &Helm, texts: &[String]) {
    let text = file(texts);
    let ours = helm_values::documents(&text).unwrap_or_else(|error| panic!("{error}"));
    let ours = stored(&ours[0]);
    for theirs in helm.read(&text) {
        let theirs = floats(theirs.unwrap_or_else(|message| panic!("{message}")));
        for (at, text) in texts.iter().enumerate() {
            assert!(is_same(&ours["all"][at], &theirs["all"][at]), "{text}: {} {}", ours["all"][at], theirs["all"][at]);
        }
    }
}

#[test]
fn every_text_has_the_value_that_helm_gives_it() {
    let texts: Vec<String> = TEXTS.iter().map(|text| text.replace('\n', "\n  ")).collect();
    assert_read_alike(&Helm::new(), &texts);
}

/// Texts of the characters that numbers consist of, the same in every run.
#[test]
fn arbitrary_texts_have_the_value_that_helm_gives_them() {
    const CHARACTERS: &[u8] = b"0011278_9.eExob+-:";
    let mut state = 1_u64;
    let mut random = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % bound
    };
    let mut texts = Vec::new();
    while texts.len() < 6000 {
        let length = 1 + random(9);
        let text: String = (0..length).map(|_| char::from(CHARACTERS[random(CHARACTERS.len())])).collect();
        // A colon at the end makes a key, and `---` a document.
        if !text.ends_with(':') && !text.starts_with("---") && helm_values::documents(&format!("x: {text}")).is_ok() {
            texts.push(text);
        }
    }
    assert_read_alike(&Helm::new(), &texts);
}

#[test]
fn what_helm_rejects_is_rejected() {
    let helm = Helm::new();
    for text in REJECTED {
        let text = file(&[(*text).to_owned()]);
        assert!(helm_values::documents(&text).is_err(), "{text} is read");
        for theirs in helm.read(&text) {
            assert!(theirs.is_err(), "Helm reads {text}: {theirs:?}");
        }
    }
}

/// Where the reader is stricter than Helm, on purpose.
#[test]
fn a_repeated_key_is_rejected_although_helm_takes_its_last_value() {
    let error = helm_values::documents("a: 1\nb: 2\na: 3\n").unwrap_err();
    assert_eq!(error.to_string(), "line 3, column 1: a key occurs twice in its map, and Helm drops the first value");
    for theirs in Helm::new().read("a: 1\nb: 2\na: 3\n") {
        assert_eq!(theirs.unwrap()["a"], 3);
    }
}

#[test]
fn deep_and_repeated_values_are_rejected() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    assert!(helm_values::documents(&deep).is_err());
    let mut many = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for at in 1..9 {
        let alias = format!("*a{}", at - 1);
        writeln!(many, "a{at}: &a{at} [{}]", [alias.as_str(); 10].join(", ")).unwrap();
    }
    assert_eq!(helm_values::documents(&many).unwrap_err().reason, helm_values::Reason::TooLarge);
}
