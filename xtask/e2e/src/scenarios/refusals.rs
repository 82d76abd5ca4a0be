//! Helm refuses wrong values before it creates any object, with the messages that the chart's README documents.

use anyhow::{bail, ensure};
use camino::Utf8PathBuf;
use e2e_kit::lane::Lane;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::Outcome;
use generator::Resolved;
use tools::ToolBinary;
use vocabulary::{Backing, Use};

/// An installation that Helm must refuse.
struct Case {
    what: &'static str,
    release: String,
    passwords: bool,
    sets: Vec<String>,
    /// Texts that the message must contain.
    says: Vec<String>,
}

impl Case {
    /// An installation with all passwords and these additional values.
    fn with(what: &'static str, sets: &[String], says: &[String]) -> Self {
        Self { what, release: "afp".to_owned(), passwords: true, sets: sets.to_vec(), says: says.to_vec() }
    }
}

/// The length of the longest release name that Helm allows.
const LONGEST_FOR_HELM: usize = 53;

/// The cases that apply to a platform.
fn cases(platform: &Resolved) -> Vec<Case> {
    let remedy = || "Make one with: openssl rand".to_owned();
    let passwords: Vec<_> = generator::credential_paths(platform)
        .iter()
        .filter(|credential| credential.switch.is_none())
        .map(|credential| credential.value.join("."))
        .collect();
    let unset = |path: &String| format!("{path} is not set");
    let mut cases = Vec::new();
    if let Some(password) = passwords.first() {
        let says = passwords.iter().map(unset).chain([remedy()]).collect();
        let bare = Case { passwords: false, says, ..Case::with("no password", &[], &[]) };
        let mode = ["/global/secrets/mode".to_owned(), "inline".to_owned()];
        cases.extend([
            bare,
            Case::with("one password missing", &[format!("{password}=")], &[unset(password), remedy()]),
            Case::with("a wrong secret mode", &["global.secrets.mode=vault".to_owned()], &mode),
        ]);
    }
    if let Some(path) = generator::unnamed_tags(platform).first().map(|path| path.join(".")) {
        let says = [unset(&path), format!("--set-string {path}=<tag>")];
        cases.push(Case::with("an image without a tag", &[format!("{path}=")], &says));
    }
    let declared = platform.platform();
    if let Some(server) = declared.backing.first().map(Backing::name) {
        let says = [format!("/{server}/persistence"), "sise".to_owned()];
        cases.push(Case::with("a misspelt value", &[format!("{server}.persistence.sise=2Gi")], &says));
        let says = [format!("/global/{server}/mode"), "embedded".to_owned()];
        cases.push(Case::with("a wrong mode", &[format!("global.{server}.mode=cloud")], &says));
    }
    if let Some(service) = declared.services.first().map(|service| service.name) {
        let says = [format!("/{service}"), "replicsa".to_owned()];
        cases.push(Case::with("a misspelt value of a service", &[format!("{service}.replicsa=2")], &says));
    }
    let longest = usize::from(declared.longest_release_name);
    if longest < LONGEST_FOR_HELM {
        let release = "a".repeat(longest + 1);
        let says = [format!("\"{release}\" has {} characters", longest + 1), format!("at most {longest}")];
        cases.push(Case { release, ..Case::with("a release name too long", &[], &says) });
    }
    let call = declared.services.iter().find_map(|caller| {
        let callee = caller.uses.iter().find_map(|one| if let Use::Call(call) = one { Some(call) } else { None });
        Some((caller.name, callee?.endpoint.service))
    });
    if let Some((caller, callee)) = call {
        let says = [format!("{caller} calls {callee}, which is disabled")];
        cases.push(Case::with("a disabled callee", &[format!("{callee}.enabled=false")], &says));
    }
    cases
}

/// Tries every case with Helm 3 and Helm 4, each in its own namespace.
pub(super) fn run(lane: &Lane) -> Outcome {
    let mut helms = Vec::new();
    lane.step("find Helm 3 and Helm 4", || {
        helms = vec![lane.context.helm4()?, lane.context.helm3()?];
        Ok(helms.iter().map(|helm| helm.version.as_str()).collect::<Vec<_>>().join(", "))
    })?;
    let mut spaces = Vec::new();
    lane.step("create a namespace for each Helm", || {
        for _ in &helms {
            spaces.push(TestNamespace::new(lane, "refusals")?);
        }
        Ok(String::new())
    })?;
    let cases = cases(&lane.context.platform);
    let mut outcome = Ok(());
    for (helm, namespace) in helms.iter().zip(&spaces) {
        for case in &cases {
            let step = format!("{}: {}", helm.tool.title(), case.what);
            outcome = lane.step(step, || refused(namespace, helm, case)).and(outcome);
        }
    }
    outcome
}

fn refused(namespace: &TestNamespace, helm: &ToolBinary, case: &Case) -> anyhow::Result<String> {
    let release = Release::new(namespace, helm, &case.release);
    let values: Vec<Utf8PathBuf> = case.passwords.then(|| namespace.context.passwords.clone()).into_iter().collect();
    let sets: Vec<_> = case.sets.iter().map(String::as_str).collect();
    let arguments = release.arguments_of("install", &namespace.context.chart, &values, &sets);
    let output = release.try_helm(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
    if output.success {
        bail!("Helm installed the chart, expected a refusal");
    }
    for text in &case.says {
        ensure!(output.err.contains(text), "the message lacks `{text}`:\n{}", output.all());
    }
    let left = namespace.inventory()?;
    ensure!(
        left.is_empty(),
        "Helm refused the values but created: {}",
        left.into_iter().collect::<Vec<_>>().join(", ")
    );
    Ok("no object was created".to_owned())
}
