//! Passwords are in Secrets, each in those that it belongs to, and nowhere else.

use std::collections::BTreeSet;

use tools::{Object, Tool};
use xtask::{cases, platform};

use crate::{chart, folder};

/// What every password of `ci/default-values.yaml` begins with, as it is and as it is quoted in SQL, JSON and libpq's language.
const SIGNS: &[&str] = &["fake '", r"fake \'", "fake ''", "ZmFrZSAn"];

#[test]
fn no_password_is_outside_of_a_secret() {
    let helm = Tool::Helm4.ensure().expect("Helm 4 is there or can be built");
    let platform = platform::resolved().expect("the platform resolves");
    let rendered = generator::generate(&platform);
    let mut seen = 0;
    for case in cases::all(platform.platform(), &rendered, &folder()) {
        let manifest = case.render(&helm, chart()).expect("every case renders");
        for object in tools::objects(&manifest).expect("Helm renders YAML") {
            let passwords = SIGNS.iter().map(|sign| object.text.matches(sign).count()).sum::<usize>();
            // What stands behind `data:` and `stringData:`, and not a label or an annotation of the Secret.
            let above = object.text.split("Data:").next().unwrap_or_default();
            assert!(SIGNS.iter().all(|sign| !above.contains(sign)), "{}: {} shows a password", case.name, object.name);
            assert!(passwords == 0 || object.kind == "Secret", "{}: {} {}", case.name, object.kind, object.name);
            seen += passwords;
        }
    }
    assert!(seen > 100, "the passwords of the cases are looked for under another name: {seen} found");
}

/// Each service's Secret has that service's own passwords; each server's those of its logins; the source of External Secrets all.
#[test]
fn a_password_is_in_the_secrets_that_it_belongs_to_alone() {
    let helm = Tool::Helm4.ensure().expect("Helm 4 is there or can be built");
    let platform = platform::resolved().expect("the platform resolves");
    let rendered = generator::generate(&platform);
    let case = cases::all(platform.platform(), &rendered, &folder()).remove(0);
    let manifest = case.render(&helm, chart()).expect("the defaults render");
    let secrets: Vec<Object> =
        tools::objects(&manifest).expect("YAML").into_iter().filter(|object| object.kind == "Secret").collect();
    for credential in generator::credential_paths(&platform) {
        let (owner, key) = credential.name.split_once('.').expect("whose, and for what");
        let [chart, _, _, field] = credential.value.as_slice() else { panic!("{:?}", credential.value) };
        let is_login = field == "password" && platform.platform().services.iter().any(|s| s.name.as_str() == chart);
        let mut expected = BTreeSet::from([owner.to_owned()]);
        if is_login {
            expected.insert(key.to_owned());
        }
        let ci_values = std::fs::read_to_string(folder().join(&rendered.paths().ci_values)).expect("a file");
        let all: Vec<serde_json::Value> = generator::yaml::read_all(&ci_values).expect("YAML");
        let password = credential.value.iter().fold(&all[0], |at, part| &at[part]).as_str().expect("a password");
        // The words at its end are its own.
        let end = password.rsplit("é ").next().expect("it has an end");
        let found: BTreeSet<_> = secrets.iter().filter(|s| s.text.contains(&format!("é {end}"))).map(whose).collect();
        assert_eq!(found, expected, "{}", credential.name);
    }
}

fn whose(secret: &Object) -> String {
    let name = secret.name.trim_start_matches(&format!("{}-", cases::RELEASE));
    name.split("-inline").next().unwrap_or_default().to_owned()
}
