//! A manifest, compared and applied as Argo CD does it with `ServerSideApply=true`, `ServerSideDiff=true` and `PruneLast=true`.

use std::time::Duration;

use anyhow::{Context as _, bail};
use camino::Utf8PathBuf;
use e2e_kit::release::Release;
use e2e_kit::{kubectl, process};
use render::{Object, objects};

use crate::scenarios::loaded::RECOVERY;

/// The name under which Argo CD applies objects.
pub(super) const MANAGER: &str = "argocd-controller";

/// What Argo CD applies of a rendered manifest.
pub(super) struct Manifest {
    pub(super) objects: Vec<Object>,
    /// The hooks that Argo CD runs as `PostSync`. It ignores tests.
    pub(super) hooks: Vec<Object>,
}

impl Manifest {
    /// Sorts the objects of a manifest.
    pub(super) fn of(text: &str) -> anyhow::Result<Self> {
        let hook =
            |object: &Object| object.value["metadata"]["annotations"]["helm.sh/hook"].as_str().map(str::to_owned);
        let (mut plain, mut hooks) = (Vec::new(), Vec::new());
        for object in objects(text)? {
            match hook(&object) {
                None => plain.push(object),
                Some(kinds) if kinds.split(',').any(|kind| kind == "post-install") => hooks.push(object),
                Some(kinds) if kinds == "test" => {}
                Some(kinds) => bail!("{} {} is a hook of another kind: {kinds}", object.kind, object.name),
            }
        }
        Ok(Self { objects: plain, hooks })
    }

    /// Renders the chart as Argo CD does: without the cluster.
    pub(super) fn rendered(release: &Release, values: &[Utf8PathBuf], sets: &[&str]) -> anyhow::Result<Self> {
        let words = release.arguments_of("template", &release.namespace.context.chart, values, sets);
        let output = release.try_helm(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
        Self::of(&output.ok("helm template")?)
    }
}

fn text(objects: &[Object]) -> String {
    objects.iter().map(|object| object.text.as_str()).collect::<Vec<_>>().join("\n---\n")
}

/// What a server-side apply of the objects would change: the output of `kubectl diff`, empty if nothing.
pub(super) fn differences(release: &Release, manifest: &Manifest) -> anyhow::Result<String> {
    let words = ["diff", "--server-side", "--force-conflicts", "--field-manager", MANAGER, "--filename=-"];
    let words = [&words[..], &["--namespace", &release.namespace.name]].concat();
    let output = kubectl::try_run(&words, &text(&manifest.objects))?;
    // It exits with 1 if there are differences, and then prints them.
    if output.success || !output.out.trim().is_empty() {
        return Ok(output.out);
    }
    bail!("kubectl diff: {}", output.all())
}

/// Applies a manifest: the objects, then what an earlier manifest had too much, then the hooks. Returns the number of deleted objects.
pub(super) fn sync(release: &Release, manifest: &Manifest, before: Option<&Manifest>) -> anyhow::Result<usize> {
    let namespace = &release.namespace.name;
    let apply = |objects: &[Object]| {
        let words = ["apply", "--server-side", "--force-conflicts", "--field-manager", MANAGER, "--filename=-"];
        kubectl::try_run(&[&words[..], &["--namespace", namespace]].concat(), &text(objects))?.ok("kubectl apply")
    };
    apply(&manifest.objects)?;
    release.wait_ready(RECOVERY)?;
    for object in &manifest.objects {
        if object.kind == "Job" {
            completes(namespace, &object.name)?;
        }
    }
    let mut pruned = 0;
    for object in before.iter().flat_map(|before| &before.objects) {
        if !manifest.objects.iter().any(|other| (&other.kind, &other.name) == (&object.kind, &object.name)) {
            kubectl::run(&["delete", &object.kind, &object.name, "--namespace", namespace, "--wait=false"])?;
            pruned += 1;
        }
    }
    // Hooks of one wave run at the same time.
    for hook in &manifest.hooks {
        kubectl::run(&["delete", &hook.kind, &hook.name, "--namespace", namespace, "--ignore-not-found"])?;
    }
    apply(&manifest.hooks)?;
    for hook in &manifest.hooks {
        completes(namespace, &hook.name)?;
    }
    Ok(pruned)
}

/// Waits until a Job is complete.
fn completes(namespace: &str, name: &str) -> anyhow::Result<()> {
    process::until(RECOVERY, Duration::from_secs(1), || {
        let job = kubectl::json(&["get", "job", name, "--namespace", namespace])?;
        let conditions = job["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let has = |kind: &str| conditions.iter().any(|one| one["type"] == kind && one["status"] == "True");
        if has("Failed") {
            bail!("the Job {name} failed");
        }
        Ok(if has("Complete") { Ok(()) } else { Err(format!("the Job {name} is not complete")) })
    })
    .with_context(|| format!("in {namespace}"))
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    #[test]
    fn tests_are_ignored_and_other_hooks_are_an_error() {
        let object = |name: &str, hook: &str| {
            format!("kind: Job\nmetadata: {{name: {name}, annotations: {{helm.sh/hook: \"{hook}\"}}}}\n---\n")
        };
        let plain = "kind: Service\nmetadata: {name: plain}\n---\n";
        let text = plain.to_owned() + &object("test", "test") + &object("hook", "post-install,post-upgrade");
        let manifest = Manifest::of(&text).expect("a manifest");
        let names = |objects: &[render::Object]| objects.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        assert_eq!((names(&manifest.objects), names(&manifest.hooks)), (vec!["plain".into()], vec!["hook".into()]));
        assert!(Manifest::of(&object("early", "pre-install")).is_err());
    }
}
