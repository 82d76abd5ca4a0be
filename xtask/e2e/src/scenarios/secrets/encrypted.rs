//! A password file made as the chart's README describes: encrypted by sops for an age key.

use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use camino::Utf8PathBuf;
use e2e_kit::context::E2eContext;
use e2e_kit::process;
use e2e_kit::release::Release;
use generator::yaml;
use serde_yaml::Value;
use tools::{Tool, ToolBinary};

/// Texts with special characters of shells, Helm, Go templates, YAML, JSON, SQL, libpq, Kubernetes variables, RabbitMQ and Valkey.
const AWKWARD: &[&str] = &[
    r#"'single' "double" `tick` "#,
    r"back\slash \\ and \n no line break",
    "{{ .Values.x }} {{- end }}",
    "$HOME $(RABBITMQ_HOST) $$ ${x}",
    "ünïcödé – 密码 🔑",
    "  spaces at both ends  ",
    "#>~* &* +@all : ; , @ % ^ ! |",
];

/// The passwords and their encrypted file.
pub(super) struct Encrypted {
    /// Password by credential name.
    pub(super) passwords: Vec<(String, String)>,
    file: Utf8PathBuf,
    key: Utf8PathBuf,
    sops: ToolBinary,
}

impl Encrypted {
    pub(super) fn new(context: &E2eContext) -> anyhow::Result<Self> {
        let (sops, keygen) = (Tool::Sops.ensure()?, Tool::AgeKeygen.ensure()?);
        let folder = context.folder("sops")?;
        let (key, file) = (folder.join("age.txt"), folder.join("secrets-test.yaml"));
        let run = |command: Command, input: &str, what: &str| -> anyhow::Result<String> {
            Ok(process::run(command, input, Duration::from_mins(1), false)?.ok(what)?)
        };
        let mut command = keygen.command();
        command.args(["-o", key.as_str()]);
        run(command, "", "age-keygen")?;
        let mut command = keygen.command();
        command.args(["-y", key.as_str()]);
        let recipient = run(command, "", "age-keygen -y")?;
        let rules = format!("creation_rules:\n  - path_regex: secrets-.*\\.yaml$\n    age: {}\n", recipient.trim());
        std::fs::write(folder.join(".sops.yaml"), rules).with_context(|| folder.to_string())?;

        let credentials = generator::credential_paths(&context.platform);
        let (mut passwords, mut values) = (Vec::new(), Value::Null);
        for (i, credential) in credentials.iter().enumerate() {
            // The number makes every password unique.
            let password = format!("{} {i} {}", AWKWARD[i % AWKWARD.len()], AWKWARD[(i + 2) % AWKWARD.len()]);
            yaml::put(&mut values, &credential.value, password.clone().into());
            passwords.push((credential.name.clone(), password));
        }
        let mut command = sops.command();
        command.current_dir(&folder).args([
            "--disable-version-check",
            "encrypt",
            "--filename-override",
            "secrets-test.yaml",
        ]);
        command.args(["--input-type=yaml", "--output-type=yaml"]);
        let clear = yaml::write(&values);
        let encrypted = run(command, &clear, "sops encrypt")?;
        anyhow::ensure!(
            passwords.iter().all(|(_, password)| !encrypted.contains(password)),
            "sops left a password unencrypted"
        );
        std::fs::write(&file, encrypted).with_context(|| file.to_string())?;
        Ok(Self { passwords, file, key, sops })
    }

    /// Runs `cargo xtask secrets check` on the file and returns its output.
    pub(super) fn check(&self) -> anyhow::Result<String> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["secrets", "check", "test", "--file", self.file.as_str()]).env("SOPS_AGE_KEY_FILE", &self.key);
        let output = process::run(command, "", Duration::from_mins(1), false)?.ok("secrets check")?;
        Ok(output.lines().next().unwrap_or_default().to_owned())
    }

    /// Runs Helm with these passwords; they are never written to disk unencrypted.
    pub(super) fn helm(
        &self,
        release: &Release,
        verb: &str,
        values: &[Utf8PathBuf],
        sets: &[&str],
    ) -> anyhow::Result<()> {
        let context = release.namespace.context;
        let values = [&[context.overlay.clone(), context.small.clone()], values].concat();
        let mut words = vec![release.helm.path.to_string()];
        words.extend(release.arguments_of(verb, &context.chart, &values, sets));
        words.extend([
            format!("--namespace={}", release.namespace.name),
            "--wait".to_owned(),
            "--timeout=300s".to_owned(),
        ]);
        let line = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        let mut command = self.sops.command();
        for (name, value) in release.helm.command().get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.args(["--disable-version-check", "exec-file", self.file.as_str(), &format!("{line} --values {{}}")]);
        command.env("SOPS_AGE_KEY_FILE", &self.key);
        process::run(command, "", Duration::from_mins(6), false)?.ok(&format!("sops exec-file with helm {verb}"))?;
        release.whole()
    }
}

/// Quotes a word for a shell command line.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
