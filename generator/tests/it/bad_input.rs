//! Whatever text a model holds is refused by `resolve`, or arrives in the cluster unchanged.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use tools::{Tool, ToolBinary};
use vocabulary::{
    AmqpEnv, ApiRule, Backing, Change, ChartVersion, EarlierVersion, EndToEndTest, Endpoint, Environment,
    EnvironmentName, Exposure, Health, Image, Link, Maintainer, NotedChange, Platform, PlatformName, Port, Probe,
    Publication, Python3, RabbitMq, ReleaseNotes, Resources, Service, ServiceName, Setting, SourceLocation, Tests,
    Variable, VariableName, VariableSource, WritablePath, consumes, cpu, memory, of_services, plain, removed, variable,
};

use crate::harness::{OnDisk, helm, leak, leak_all, read_by_helm};

const HTTP: Port = Port::http("http", 8080);
const ODD: ServiceName = ServiceName::new("odd");

/// What has bitten somebody somewhere.
const KNOWN: &[&str] = &[
    "",
    " ",
    "  leading",
    "trailing ",
    "yes",
    "no",
    "y",
    "N",
    "on",
    "Off",
    "true",
    "null",
    "~",
    "0777",
    "0x1F",
    "0o17",
    "1e6",
    "1_000",
    "1:30",
    "2001-01-01",
    ".inf",
    "-.INF",
    ".nan",
    "=",
    "<<",
    "-",
    "- a",
    "? a",
    ": a",
    "a: b",
    "a #b",
    "# a",
    "!tag",
    "&a",
    "*a",
    "@a",
    "`a`",
    "%a",
    "|",
    ">",
    "{a: b}",
    "[a]",
    "{{ .Values.x }}",
    "{{",
    "}}",
    "{{- fail \"x\" -}}",
    "{{/* c */}}",
    "{{ \"{{\" }}",
    "[[ x ]]",
    "[% if %]",
    "{%",
    "[# c #]",
    "'",
    "\"",
    "'a'",
    "\"a\"",
    "\\",
    "\\n",
    "a\nb",
    "\n",
    "a\r\nb",
    "\t",
    "a\tb",
    "$(HOME)",
    "$$(HOME)",
    "$$",
    "$",
    "$x",
    "${x}",
    "é",
    "ß漢字",
    "\u{1f600}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\u{feff}a",
    "\u{fffe}",
    "\u{ffff}",
    "\u{7f}",
    "\u{1b}[0m",
    "\u{10ffff}",
    "a\0b",
    "\0",
    "---",
    "--- a",
    "...",
    "---\na: b",
    "%YAML 1.1",
    "|\n  a",
    "a\n---\nb",
    "*/}}",
    "-->",
    "```",
    "a | b",
];

#[test]
fn known_troublemakers_are_refused_or_arrive() {
    let helm = helm(Tool::BatchHelm4);
    let texts: Vec<String> = KNOWN.iter().map(|text| (*text).to_owned()).collect();
    check(&helm, &texts).unwrap_or_else(|difference| panic!("{difference}"));
}

/// Names are held to their rules, and some that keep to them are words or numbers of YAML all the same.
#[test]
fn names_that_yaml_reads_as_something_else_arrive() {
    const ON: Port = Port::http("on", 8081);
    const NUMBER: Port = Port::http("1e3", 8082);
    let fixed = ["N", "y", "NO", "off", "Null", "TRUE"].map(|name| Variable::fixed(name, "value"));
    let environment =
        [&fixed[..], &[Variable::secret("ON", "A token."), Variable::secret("null", "Another.")]].concat();
    let base = odd(&[], "fine").services[0];
    let service = Service {
        ports: &[HTTP, ON, NUMBER],
        environment: leak_all(environment),
        writable: const {
            &[WritablePath::new("/9", "1Mi"), WritablePath::new("/1e3", "1Mi"), WritablePath::new("/no", "1Mi")]
        },
        exposure: Some(Exposure::http(ON)),
        ..base
    };
    let platform = Platform { services: vec![service], backing: vec![], environments: vec![], ..odd(&[], "fine") };
    let on_disk = OnDisk::of(&platform.resolve().unwrap_or_else(|diagnostics| panic!("{diagnostics}")));
    let helm = helm(Tool::BatchHelm4);
    let manifest =
        on_disk.render(&helm, None, &["--set=odd.exposure.via=NodePort"]).unwrap_or_else(|refusal| panic!("{refusal}"));
    let report = tools::kubeconform(tools::KubernetesVersion::V1_37, &manifest).expect("kubeconform runs");
    let failures: Vec<_> = report.failures().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{failures:#?}");
    let objects = read_by_helm(&helm, &manifest);
    let deployment = objects.iter().find(|o| o["kind"] == "Deployment").expect("a Deployment");
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let names = |list: &Value| list.as_array().expect("a list").iter().map(|o| o["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&container["env"]), ["N", "y", "NO", "off", "Null", "TRUE"]);
    assert_eq!(names(&container["ports"]), ["http", "on", "1e3"]);
    assert_eq!(names(&container["volumeMounts"]), ["9", "1e3", "no"]);

    let keys = |map: &Value| map.as_object().expect("a map").keys().cloned().collect::<Vec<_>>();
    let secret = objects.iter().find(|o| o["kind"] == "Secret" && o["stringData"]["ON"].is_string());
    assert_eq!(
        keys(&secret.unwrap_or_else(|| panic!("no Secret has `ON`:\n{manifest}"))["stringData"]),
        ["ON", "null"]
    );
    let external = ["--set=odd.exposure.via=NodePort", "--set=global.secrets.mode=external"];
    let kinds = ["ExternalSecret", "SecretStore"].map(|kind| format!("--api-versions=external-secrets.io/v1/{kind}"));
    let arguments: Vec<&str> = external.into_iter().chain(kinds.iter().map(String::as_str)).collect();
    let manifest = on_disk.render(&helm, None, &arguments).unwrap_or_else(|refusal| panic!("{refusal}"));
    let objects = read_by_helm(&helm, &manifest);
    let of_service =
        |o: &&Value| o["kind"] == "ExternalSecret" && o["metadata"]["labels"]["app.kubernetes.io/name"] == "odd";
    let spec = &objects.iter().find(of_service).expect("the service's ExternalSecret")["spec"];
    assert_eq!(keys(&spec["target"]["template"]["data"]), ["ON", "null"]);
    let read: Vec<_> = spec["data"].as_array().expect("a list").iter().map(|one| one["secretKey"].clone()).collect();
    assert_eq!(read, ["ON", "null"]);
}

#[test]
fn any_text_is_refused_or_arrives() {
    let helm = helm(Tool::BatchHelm4);
    // Each case is one run of Helm with many texts: a process of a quarter of a second.
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    let odd = prop::sample::select(KNOWN).prop_map(str::to_owned);
    let joined = (odd.clone(), any::<String>(), odd).prop_map(|(a, b, c)| format!("{a}{b}{c}"));
    let text = prop_oneof![any::<String>(), joined, "[ -~]{0,12}", "[{}$'\"\\\\:#\n\t -]{0,8}"];
    let texts = prop::collection::vec(text, 40);
    let outcome = runner.run(&texts, |texts| check(&helm, &texts).map_err(TestCaseError::fail));
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// The characters that no YAML document contains.
const NO_YAML: fn(char) -> bool = |c| {
    c < ' ' && !"\t\n\r".contains(c)
        || ('\u{7f}'..='\u{9f}').contains(&c) && c != '\u{85}'
        || "\u{feff}\u{fffe}\u{ffff}".contains(c)
};

/// Checks each text in every field that takes one.
fn check(helm: &ToolBinary, texts: &[String]) -> Result<(), String> {
    let texts: Vec<&'static str> = texts.iter().map(|text| leak(text.clone())).collect();
    let mut lines = Vec::new();
    let mut values = Vec::new();
    for text in texts {
        for (field, platform) in explained(text) {
            match platform.resolve() {
                Ok(_) => lines.push(text),
                Err(diagnostics) if diagnostics.to_string().contains("help: ") => {}
                Err(diagnostics) => return Err(format!("{field}: a refusal without help: {diagnostics}")),
            }
        }
        match odd(&[text], "fine").resolve() {
            Ok(_) => values.push(text),
            Err(_) if text.contains(NO_YAML) => {}
            Err(diagnostics) => return Err(format!("{text:?} is refused as a value: {diagnostics}")),
        }
    }
    lines.dedup();
    let few = &values[..values.len().min(3)];
    let lines = lines.chunks(12).filter_map(|chunk| chunk.first());
    let cases: Vec<_> = [(&values[..], "fine")].into_iter().chain(lines.map(|line| (few, *line))).collect();
    let rendered = cases.iter().map(|(texts, line)| render(helm, texts, line)).collect::<Result<Vec<_>, _>>()?;
    // One run of Helm reads them all.
    let objects = read_by_helm(helm, &rendered.join("\n---\nkind: Boundary\n---\n"));
    let manifests: Vec<_> = objects.split(|object| object["kind"] == "Boundary").collect();
    assert_eq!(manifests.len(), cases.len());
    cases.into_iter().zip(manifests).try_for_each(|((texts, line), objects)| arrived(objects, texts, line))
}

/// Platforms with the text in one of the fields that explain something, and what the field is called.
fn explained(text: &'static str) -> Vec<(&'static str, Platform)> {
    let service = |service: Service| Platform { services: vec![service], ..odd(&[], "fine") };
    let base = odd(&[], "fine").services[0];
    let rule: &'static [ApiRule] = leak_all(vec![ApiRule::new(text, "", &["configmaps"], &["get"])]);
    let secret: &'static [Variable] = leak_all(vec![Variable::secret("SECRET", text)]);
    let setting: &'static [Variable] = leak_all(vec![Variable::text("SETTING", "x", text)]);
    vec![
        ("the platform's description", Platform { doc: text, ..odd(&[], "fine") }),
        ("the home page", Platform { home: text, ..odd(&[], "fine") }),
        ("a service's description", service(Service { doc: text, ..base })),
        ("the reason of a rule", service(Service { kubernetes: rule, ..base })),
        ("a secret's description", service(Service { environment: secret, ..base })),
        ("a setting's description", service(Service { environment: setting, ..base })),
        ("everything that is explained", odd(&[], text)),
    ]
}

const BROKER: RabbitMq = RabbitMq::named("broker");

/// A platform with each text as a fixed value, as a setting's default, as one of a setting's choices and as an environment's value of a
/// setting; and one line wherever something is explained.
fn odd(texts: &[&'static str], line: &'static str) -> Platform {
    let mut environment = Vec::new();
    let mut changes = Vec::new();
    for (i, text) in texts.iter().enumerate() {
        let name = |kind: &str| VariableName::checked(leak(format!("{kind}_{i}"))).expect("a variable's name");
        let declared = |name, source| Variable { name, source, location: SourceLocation::here() };
        environment.push(declared(name("FIXED"), VariableSource::Fixed(text)));
        environment.push(declared(name("TEXT"), VariableSource::Setting(Setting::Text { default: text, doc: line })));
        let options = leak_all(vec![*text, "another than that"]);
        environment.push(declared(
            name("CHOICE"),
            VariableSource::Setting(Setting::Choice { default: text, options, doc: line }),
        ));
        environment
            .push(declared(name("CHANGED"), VariableSource::Setting(Setting::Text { default: "default", doc: line })));
        changes.push(Change::Setting { service: ODD, variable: name("CHANGED"), value: text });
    }
    environment.push(Variable::secret("TOKEN", line));
    let queue = BROKER.queue("q").published_externally(line);
    let env =
        AmqpEnv { host: variable("HOST"), port: variable("PORT"), user: variable("USER"), password: plain("PASS") };
    let client = BROKER.client(env, leak_all(vec![consumes(queue, variable("QUEUE"))])).never_reconnects(line);
    let lost = Service {
        ports: &[HTTP],
        uses: leak_all(vec![client]),
        ..Service::new(
            ServiceName::new("lost"),
            line,
            Image::without_tag("odd/lost", line),
            Health::by_connections(Python3),
            Resources::new(cpu("1"), memory("1Mi")),
        )
    };
    let odd = Service {
        ports: &[HTTP],
        environment: leak_all(environment),
        kubernetes: leak_all(vec![ApiRule::new(line, "", &["configmaps"], &["get"])]),
        ..Service::new(
            ODD,
            line,
            Image::new("odd/odd", "1"),
            Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP)),
            Resources::new(cpu("1"), memory("1Mi")),
        )
    };
    Platform {
        name: PlatformName::new("odd-texts"),
        doc: line,
        version: ChartVersion::new("0.1.0"),
        home: line,
        publication: Publication {
            maintainers: leak_all(vec![Maintainer::new(line)]),
            keywords: leak_all(vec![line]),
            links: leak_all(vec![Link::new(line, "https://example.org")]),
            changelog: leak_all(vec![ReleaseNotes::unreleased(
                "0.1.0",
                leak_all(vec![NotedChange::fixed(line), NotedChange::security(line).of_chart("logs")]),
            )]),
            ..Publication::new()
        },
        longest_release_name: 20,
        published_passwords: leak_all(vec![leak(line.to_owned() + " published")]),
        earlier_versions: leak_all(vec![EarlierVersion::new(
            "0.0.1",
            leak_all(vec![of_services(&[ODD], leak_all(vec![removed("old", line)]))]),
        )]),
        services: vec![odd, lost],
        backing: vec![Backing::RabbitMq(BROKER)],
        environments: vec![Environment {
            name: EnvironmentName::new("odd"),
            doc: line,
            changes: leak_all(changes),
            location: SourceLocation::here(),
        }],
        tests: Tests::DEFAULT.end_to_end(EndToEndTest::new(
            line,
            Endpoint::new(ODD, HTTP).posts("/", leak(line.to_owned() + EndToEndTest::MARKER)),
            &[],
            Endpoint::new(ODD, HTTP).page("/"),
        )),
        location: SourceLocation::here(),
    }
}

/// What Helm renders for the platform with these texts, and a document with what Helm reads as its description.
fn render(helm: &ToolBinary, texts: &[&'static str], line: &'static str) -> Result<String, String> {
    let platform = odd(texts, line).resolve().map_err(|diagnostics| diagnostics.to_string())?;
    let on_disk = OnDisk::of(&platform);
    on_disk.write(
        "odd-texts/templates/described.yaml",
        "kind: Described\nmetadata: { name: x }\ntext: {{ .Chart.Description | toJson }}\n",
    );
    on_disk.render(helm, Some("odd"), &[]).map_err(|refusal| format!("{texts:?} and {line:?}: {refusal}"))
}

/// Compares what a program would find in its environment, and what Helm read as the description, with what was declared.
fn arrived(objects: &[Value], texts: &[&'static str], line: &'static str) -> Result<(), String> {
    let described = objects.iter().find(|o| o["kind"] == "Described").ok_or("no description")?;
    if !cleaned(line, described["text"].as_str().unwrap_or_default()) {
        return Err(format!("the description {line:?} arrived as {}", described["text"]));
    }
    let end_to_end = |o: &&Value| o["kind"] == "Job" && o["metadata"]["name"] == "r-end-to-end-test";
    let end_to_end = objects.iter().find(end_to_end).ok_or("no end-to-end test")?;
    let env = end_to_end["spec"]["template"]["spec"]["containers"][0]["env"].as_array().ok_or("no environment")?;
    let sent = env.iter().find(|v| v["name"] == "SEND_BODY").and_then(|v| v["value"].as_str()).map(expanded);
    if sent.as_deref() != Some(&format!("{line}<a reference>(MARKER)")) {
        return Err(format!("the body {line:?} arrived as {sent:?}"));
    }
    let deployment = |o: &&Value| o["kind"] == "Deployment" && o["metadata"]["name"] == "r-odd";
    let deployment = objects.iter().find(deployment).ok_or("no Deployment")?;
    let env = deployment["spec"]["template"]["spec"]["containers"][0]["env"].as_array().ok_or("no environment")?;
    for (i, text) in texts.iter().enumerate() {
        for kind in ["FIXED", "TEXT", "CHOICE", "CHANGED"] {
            let name = format!("{kind}_{i}");
            let value = env.iter().find(|v| v["name"] == name).and_then(|v| v["value"].as_str());
            let arrived = value.map(expanded);
            if arrived.as_deref() != Some(text) {
                return Err(format!("{name}: {text:?} arrived as {arrived:?}"));
            }
        }
    }
    Ok(())
}

/// Whether `arrived` is the description that was declared, as Helm cleans it when it loads a chart: white space of any kind becomes a blank,
/// and characters that its version of Unicode does not know as printable are dropped.
fn cleaned(line: &str, arrived: &str) -> bool {
    let mut arrived = arrived.chars().peekable();
    for c in line.chars() {
        let c = if c.is_whitespace() { ' ' } else { c };
        if arrived.peek() == Some(&c) {
            arrived.next();
        } else if c.is_ascii() {
            return false;
        }
    }
    arrived.next().is_none()
}

/// What the kubelet makes of a value: `$$` is a dollar sign, and `$(NAME)` would be another variable's value, which none here may be.
fn expanded(value: &str) -> String {
    let mut out = String::new();
    let mut characters = value.chars().peekable();
    while let Some(c) = characters.next() {
        match (c, characters.peek()) {
            ('$', Some('$')) => {
                out.push('$');
                characters.next();
            }
            ('$', Some('(')) => out.push_str("<a reference>"),
            _ => out.push(c),
        }
    }
    out
}
