//! The two implementations of the rules for passwords agree: the chart's check, which Helm 3 and Helm 4 run, and the function of the generator.

use std::collections::BTreeMap;
use std::fs;

use camino::Utf8Path;
use generator::password_rules::{PasswordFault, PasswordRules};
use generator::{CredentialPath, yaml};
use serde_yaml::Value;
use tempfile::TempDir;
use tools::{Template, Tool};

use crate::{chart, platform};

/// Passwords of every kind, and what both implementations find in each as the password of a credential whose name it does not contain.
const TABLE: &[(&str, &[PasswordFault])] = &[
    ("x7Kq0ZpLm2Vt9RbW", &[]),
    ("correct horse battery staple", &[]),
    ("ÄÖÜäöüßéèêÀÇñøåŒ", &[]),
    ("密码密码密碼密碼пароль1234abc", &[]),
    ("x7Kq0ZpTodoLm2Vt9RbW", &[]),
    ("jdevlab/x7Kq0ZpLm2Vt9RbW", &[]),
    ("<x7Kq0ZpLm2Vt9RbW", &[]),
    ("x7Kq\u{a0}0Zp\u{2028}Lm2Vt9RbW", &[]),
    ("fake ' \" {{ $x \\ é and more", &[]),
    ("<the password of the broker>", &[PasswordFault::Brackets]),
    ("<>", &[PasswordFault::Brackets]),
    ("<a\nb>", &[PasswordFault::Brackets, PasswordFault::Control]),
    ("<", &[PasswordFault::Short]),
    ("jdevlab", &[PasswordFault::Published]),
    ("JDevLab-2026!", &[PasswordFault::Published]),
    ("your_secure_postgres_password", &[PasswordFault::Published]),
    ("Your_Secure_Postgres_Password1", &[PasswordFault::Published]),
    ("jdevlab-and-jdevlab-and-jdevlab", &[PasswordFault::Published]),
    ("changeme", &[PasswordFault::Placeholder]),
    ("CHANGE-ME-CHANGE-ME", &[PasswordFault::Placeholder]),
    ("my-secret-password-for-dev", &[PasswordFault::Placeholder]),
    // The Kelvin sign is a k, and a dotted capital I an i, in lower case.
    ("\u{212a}: changeme", &[PasswordFault::Placeholder]),
    ("F\u{130}XME", &[PasswordFault::Placeholder]),
    ("1234567890123456", &[PasswordFault::Common]),
    ("QwertyUiop-123456-0", &[PasswordFault::Common]),
    ("correctHorseBatteryStaple", &[PasswordFault::Common]),
    ("letmein", &[PasswordFault::Common]),
    ("too short\n", &[PasswordFault::Short, PasswordFault::Control]),
    ("x7Kq0ZpLm2Vt9Rb", &[PasswordFault::Short]),
    ("ÄÖÜäöüßéèêÀÇñøå", &[PasswordFault::Short]),
    (" ", &[PasswordFault::Short]),
    ("                 ", &[PasswordFault::Repetitive]),
    ("abcabcabcabcabcabcabc", &[PasswordFault::Repetitive]),
    ("éééééééééééééééééé", &[PasswordFault::Repetitive]),
    ("x7Kq0ZpLm2Vt9RbW\u{7f}", &[PasswordFault::Control]),
    ("x7Kq0ZpLm2Vt9RbW\u{85}", &[PasswordFault::Control]),
    ("x7Kq0Zp\tLm2Vt9RbW", &[PasswordFault::Control]),
    ("x7Kq0ZpLm2Vt9RbW\r\n", &[PasswordFault::Control]),
];

/// The umbrella chart's check with its values alone: the schema and the other templates are not needed, and Helm takes a tenth of the time.
fn checks() -> TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    fs::create_dir(copy.path().join("templates")).expect("a folder");
    fs::write(copy.path().join("Chart.yaml"), "apiVersion: v2\nname: checks\nversion: 0.0.0\n").expect("a file");
    for file in ["values.yaml", "templates/_declared.tpl", "templates/_helpers.tpl", "templates/checks.yaml"] {
        fs::copy(chart().join(file), copy.path().join(file)).expect("a file of the chart");
    }
    // The checks in other files find nothing here.
    let text = fs::read_to_string(chart().join("templates/checks.yaml")).expect("a file of the chart");
    let platform = platform().platform().name;
    let prefix = format!("{platform}.");
    let words = text.split('"').map(|word| word.strip_prefix(&prefix).unwrap_or(word));
    let others = words.filter(|word| word.starts_with("wrong") && word.chars().all(char::is_alphanumeric));
    let others =
        others.chain(["edgeKinds"]).map(|name| format!("{{{{- define \"{platform}.{name}\" }}}}[]{{{{ end }}}}\n"));
    fs::write(copy.path().join("templates/_others.tpl"), others.collect::<String>()).expect("a file");
    copy
}

/// What both implementations say of each password, the passwords of one release at a time.
fn assert_alike(releases: &[Vec<(CredentialPath, String)>]) {
    let rules = PasswordRules::of(&platform());
    let copy = checks();
    let chart = Utf8Path::from_path(copy.path()).expect("UTF-8");
    let values = chart.join("passwords.yaml");
    for tool in [Tool::BatchHelm3, Tool::BatchHelm4] {
        let helm = tool.ensure().expect("Helm is there or can be built");
        for release in releases {
            let mut tree = Value::Null;
            for (credential, password) in release {
                yaml::put(&mut tree, &credential.value, password.as_str().into());
                if let Some(switch) = &credential.switch {
                    yaml::put(&mut tree, switch, true.into());
                }
            }
            fs::write(&values, yaml::write(&tree)).expect("a file");
            let input = Template { chart, release: "afp", values: &[&values], arguments: &[] };
            let refusal = helm.template(&input).expect("Helm runs").err().unwrap_or_default();
            let found: Vec<&str> = refusal.lines().filter(|line| line.contains(".credentials.")).collect();
            let found: BTreeMap<_, _> =
                found.into_iter().filter_map(|line| line.trim_start_matches([' ', '*']).split_once(' ')).collect();
            for (position, (credential, password)) in release.iter().enumerate() {
                let mut expected: Vec<String> =
                    rules.faults(credential, password).iter().map(|fault| fault.reason().to_owned()).collect();
                let earlier = release[..position].iter().find(|(_, earlier)| earlier == password);
                expected.extend(earlier.map(|(earlier, _)| format!("is the same as {}", earlier.value.join("."))));
                let found = found.get(credential.value.join(".").as_str()).copied();
                if expected.is_empty() {
                    assert_eq!(found, None, "{password:?} as {}, with {}", credential.name, helm.version);
                    continue;
                }
                let (expected, found) = (format!("{}. ", expected.join(" and ")), found.unwrap_or_default());
                assert!(
                    found.starts_with(&expected),
                    "{password:?} as {}: `{expected}` was expected of {}, which says `{found}`",
                    credential.name,
                    helm.version
                );
            }
        }
    }
}

/// Each list of passwords as those of the platform's credentials, as many releases as it takes.
fn releases(passwords: &[String]) -> Vec<Vec<(CredentialPath, String)>> {
    let credentials = generator::credential_paths(&platform());
    let release = |passwords: &[String]| credentials.iter().cloned().zip(passwords.iter().cloned()).collect();
    passwords.chunks(credentials.len()).map(release).collect()
}

#[test]
fn the_function_finds_what_the_table_says() {
    let rules = PasswordRules::of(&platform());
    let credential = &generator::credential_paths(&platform())[0];
    for (password, faults) in TABLE {
        assert_eq!(rules.faults(credential, password), *faults, "{password:?}");
    }
    let all = [
        PasswordFault::Brackets,
        PasswordFault::Published,
        PasswordFault::Placeholder,
        PasswordFault::Common,
        PasswordFault::Short,
        PasswordFault::Repetitive,
        PasswordFault::Control,
    ];
    assert!(all.iter().all(|fault| TABLE.iter().any(|(_, faults)| faults.contains(fault))));
}

#[test]
fn the_chart_and_the_function_agree_on_the_table() {
    let mut all: Vec<String> = TABLE.iter().map(|(password, _)| (*password).to_owned()).collect();
    all.extend(["x7Kq0ZpLm2Vt9RbW", "x7Kq0ZpLm2Vt9RbW", "changeme", "changeme"].map(str::to_owned));
    assert_alike(&releases(&all));
}

#[test]
fn the_chart_and_the_function_agree_on_names() {
    let named = |credential: &CredentialPath| {
        let name = credential.name.as_str();
        [
            name.to_owned(),
            name.to_uppercase(),
            name.replace(['.', '-'], "_") + "_2026",
            format!("{name} x7Kq0ZpLm2Vt9RbW"),
        ]
    };
    let credentials = generator::credential_paths(&platform());
    let with =
        |at: usize| credentials.iter().map(|credential| (credential.clone(), named(credential)[at].clone())).collect();
    assert_alike(&[with(0), with(1), with(2), with(3)]);
}

/// Passwords of words and characters at which the implementations could differ, the same in every run.
#[test]
fn the_chart_and_the_function_agree_on_arbitrary_passwords() {
    const PARTS: &[&str] = &[
        "jdevlab",
        "JDEVLAB",
        "Password",
        "passw0rd",
        "change",
        "-me",
        "_me",
        "test",
        "Root",
        "12345",
        "6789",
        "0",
        "qwerty",
        "rabbitmq",
        "Redis",
        "audit",
        "log",
        "administrator",
        "superuser",
        "a",
        "B",
        "c9",
        "xyz",
        "K7",
        "pQ3z",
        "é",
        "ß",
        "İ",
        "\u{212a}",
        "密",
        "🔑",
        "<",
        ">",
        " ",
        "'",
        "\"",
        "\\",
        "{{",
        "}}",
        "$",
        "%",
        "\n",
        "\t",
        "\u{85}",
        "\u{a0}",
        "ſ",
    ];
    let mut state = 7_u64;
    let mut random = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % bound
    };
    let mut password = |_| (0..=random(9)).map(|_| PARTS[random(PARTS.len())]).collect::<String>();
    assert_alike(&releases(&(0..420).map(&mut password).collect::<Vec<_>>()));
}
