//! Passwords occur only in Secrets, each only in the Secrets that need it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tools::Object;

use crate::{cases, folder, platform, rendered, without_release};

/// The beginning of every password of `ci/default-values.yaml`: plain, and as quoted in SQL, JSON and libpq connection strings.
const SIGNS: &[&str] = &["fake '", r"fake \'", "fake ''"];

fn signs(text: &str) -> usize {
    SIGNS.iter().map(|sign| text.matches(sign).count()).sum()
}

#[test]
fn no_password_is_outside_a_secret() {
    let mut seen = 0;
    for (case, objects) in cases() {
        for object in objects {
            let inside = held(object);
            let elsewhere = if inside.is_empty() { object.text.as_str() } else { above(object) };
            assert_eq!(signs(elsewhere), 0, "{}: {} {} shows a password", case.name, object.kind, object.name);
            // Look for base64-encoded passwords too.
            for word in elsewhere.split(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c)) {
                let decoded = BASE64_STANDARD.decode(word).unwrap_or_default();
                let decoded = String::from_utf8_lossy(&decoded);
                assert_eq!(signs(&decoded), 0, "{}: {} {} shows a password", case.name, object.kind, object.name);
            }
            seen += inside.iter().map(|text| signs(text)).sum::<usize>();
        }
    }
    assert!(seen > 100, "the test must find the passwords of the cases, but found only {seen}");
}

/// The decoded values of a Secret.
fn held(object: &Object) -> Vec<String> {
    if object.kind != "Secret" {
        return Vec::new();
    }
    let secret: Vec<serde_json::Value> = generator::yaml::read_all(&object.text).expect("YAML");
    let texts = |key: &str| secret[0][key].as_object().into_iter().flatten().filter_map(|(_, text)| text.as_str());
    let decoded = texts("data").map(|text| BASE64_STANDARD.decode(text).expect("base64"));
    let decoded = decoded.map(|bytes| String::from_utf8(bytes).expect("a password is text"));
    decoded.chain(texts("stringData").map(str::to_owned)).collect()
}

/// The part of a Secret above its data: its labels and annotations, which are not secret.
fn above(secret: &Object) -> &str {
    secret.text.split("\ntype: Opaque").next().unwrap_or_default()
}

/// The Secret of a service contains the passwords of that service, that of a server the passwords of its logins, and the source of External
/// Secrets all passwords.
#[test]
fn a_password_is_only_in_the_secrets_that_need_it() {
    let (platform, rendered) = (platform(), rendered());
    // The case in which every credential is used.
    let (_, objects) = cases().iter().find(|(case, _)| case.name == "alerts").expect("a case");
    let secrets: Vec<&Object> = objects.iter().filter(|object| object.kind == "Secret").collect();
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
        // The end of each password is unique.
        let end = password.rsplit("é ").next().expect("it has an end");
        let found: BTreeSet<_> = secrets
            .iter()
            .filter(|s| held(s).iter().any(|text| text.contains(&format!("é {end}"))))
            .map(|secret| whose(secret))
            .collect();
        assert_eq!(found, expected, "{}", credential.name);
    }
}

fn whose(secret: &Object) -> String {
    let name = without_release(&secret.name);
    name.split("-inline").next().unwrap_or_default().to_owned()
}
