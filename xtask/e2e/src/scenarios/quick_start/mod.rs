//! The commands of the chart's README, as a new user pastes them: install, test, open, operate, uninstall, and install again with Secrets of one's own.

mod operation;

use anyhow::ensure;
use e2e_kit::kubectl;
use e2e_kit::lane::{Lane, Work, all, side_by_side};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use tools::{Tool, ToolBinary};

use crate::documents::{Document, Reader};
use operation::PASSWORDS;

pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    lane.step("find Helm 3 and Helm 4", || Ok(format!("{}, {}", context.helm4()?.version, context.helm3()?.version)))?;
    let (helm4, helm3) = (context.helm4().map_err(|_| Reported)?, context.helm3().map_err(|_| Reported)?);
    // An example with an environment uses its node port, which only one release can have.
    let in_turn = move |lane: &Lane| all([with(lane, helm4), with(lane, helm3)]);
    side_by_side(context, 1, vec![Work::new("README", in_turn)])
}

fn with(lane: &Lane, helm: &ToolBinary) -> Outcome {
    let title = helm.tool.title();
    let namespace = TestNamespace::as_step(lane, "quick-start")?;
    let release = Release::new(&namespace, helm, "demo");
    let mut opened = None;
    lane.step(format!("{title}: open the README beside the chart"), || {
        let context = lane.context;
        let images = format!("{},{}", context.small, context.overlay);
        opened = Some((Document::read(&context.chart, "README.md")?, Reader::of(&release)?.with("IMAGES", images)));
        Ok(String::new())
    })?;
    let (readme, reader) = opened.ok_or(Reported)?;
    // `before` are commands before each block.
    let run_after = |before: &str, heading: &str| {
        let blocks = readme.commands(heading)?;
        blocks.iter().try_for_each(|block| reader.run(&format!("{before}{}", adapted(block)?)).map(drop))
    };
    let run = |heading: &str| run_after("", heading);
    let has_credentials = !generator::credential_paths(&lane.context.platform).is_empty();
    let mut passwords = String::new();
    lane.step(format!("{title}: Install"), || {
        run("Install")?;
        release.whole()?;
        if has_credentials {
            passwords = std::fs::read_to_string(reader.path(PASSWORDS))?;
        }
        Ok(String::new())
    })?;
    let tested = lane.step(format!("{title}: Test"), || run("Test").map(|()| String::new()));
    let upgraded = lane.step(format!("{title}: Upgrade"), || {
        let before = release.uids()?;
        run("Upgrade")?;
        let rolled = release.rolled_since(&before)?;
        ensure!(rolled.is_empty(), "rolled: {}", rolled.join(", "));
        Ok(String::new())
    });
    let mut outcomes = vec![tested, upgraded];
    // The commands of these passages do not depend on Helm; the scenario `rotation` replaces credentials with both.
    if helm.tool == Tool::Helm4 {
        outcomes.push(operation::all(lane, &release, (&readme, &reader), &run_after));
    }
    lane.step(format!("{title}: Uninstall, with all data"), || {
        run("Uninstall")?;
        let left = namespace.inventory()?;
        ensure!(left.is_empty(), "left: {left:?}");
        Ok(String::new())
    })?;
    if !has_credentials {
        return all(outcomes);
    }
    let own = lane.step(format!("{title}: Secrets of your own"), || {
        // A new installation begins with the first revisions.
        std::fs::write(reader.path(PASSWORDS), &passwords)?;
        run("Secrets of your own")?;
        release.whole()?;
        let secrets = kubectl::run(&["get", "secrets", "--namespace", &namespace.name, "--output=name"])?;
        let of_chart: Vec<_> = secrets.lines().filter(|name| name.contains("-inline")).collect();
        ensure!(of_chart.is_empty(), "the chart made {of_chart:?}");
        // The next release may need the same node port.
        release.uninstall()?;
        Ok(String::new())
    });
    let encrypted = lane.step(format!("{title}: Credentials in git"), || {
        run("Credentials in git")?;
        release.whole()?;
        let file = std::fs::read_to_string(reader.path(&format!("secrets-{}.yaml", release.name)))?;
        ensure!(file.contains("ENC[AES256_GCM"), "the file is not encrypted");
        ensure!(!reader.path(PASSWORDS).exists(), "the passwords in the clear are still there");
        release.uninstall()?;
        Ok(String::new())
    });
    outcomes.extend([own, encrypted]);
    all(outcomes)
}

/// A block of the README for a cluster without a registry: the images come from a further values file, and the variables name the test's own release.
fn adapted(block: &str) -> anyhow::Result<String> {
    let waits = block.contains(" --wait\n") || block.contains(" --wait\"");
    ensure!(waits || !block.contains("helm upgrade"), "`--wait` is not the last option of `helm upgrade`:\n{block}");
    let lines: Vec<_> = block.lines().filter(|line| !line.starts_with("export RELEASE=")).collect();
    let block = lines.join("\n") + "\n";
    if !block.contains("helm upgrade") {
        return Ok(block);
    }
    let quoted = block.replace(" --wait\"", " --values $IMAGES --wait\"");
    Ok(quoted.replace(" --wait\n", " --values \"$IMAGES\" --wait\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_gets_the_images_of_the_test() {
        let block = "export RELEASE=demo NAMESPACE=demo\nhelm upgrade --install \"$RELEASE\" ./shop \\\n  --wait\n";
        let adapted = adapted(block).expect("it waits");
        assert_eq!(adapted, "helm upgrade --install \"$RELEASE\" ./shop \\\n  --values \"$IMAGES\" --wait\n");
        let in_quotes = "sops exec-file x \\\n  \"helm upgrade --install x ./shop --wait\" &&\n  rm y\n";
        let adapted = super::adapted(in_quotes).expect("it waits");
        assert!(adapted.contains("./shop --values $IMAGES --wait\" &&\n"), "{adapted}");
        assert!(super::adapted("helm upgrade --install x ./shop\n").is_err());
    }
}
